"""Where the languages, items and classes of each run lie among those of all runs of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.seed_answers import RunAnswers
from xlt_bench.records.answers import ABSENT, Classes, ItemLayout, Sheet, class_kind


class Placing:
    """One order of languages, items and classes for several ItemLayouts, which all have the same classes.

    Args:
        witness: language -> item id -> class that the task is known to hold.
        labels: the task's classes.

    Attributes:
        codes, items: of all ItemLayouts and the witness, sorted.
        kind: of arrays of classes.
    """

    def __init__(
        self, layouts: Sequence[ItemLayout], witness: Mapping[str, Mapping[str, str]], labels: Sequence[str]
    ) -> None:
        ids = {item for gold in witness.values() for item in gold}
        self.codes = tuple(sorted(set(witness).union(*(layout.codes for layout in layouts))))
        self.items = tuple(sorted(ids.union(*(layout.items for layout in layouts))))
        self.kind = class_kind(len(labels))
        self._code_positions, self._item_positions = _positions(self.codes), _positions(self.items)
        self._label_positions = _positions(labels)
        self._positions: dict[tuple[str, ...], NDArray[np.intp]] = {}

    def gold_of(self, layout: ItemLayout) -> Classes:
        """The gold classes of a ItemLayout: (its languages, all items)."""
        gold: Classes = np.full((len(layout.codes), len(self.items)), ABSENT, self.kind)
        gold[:, self._item_columns(layout)] = layout.gold
        return gold

    def answers_of(self, sheet: Sheet) -> RunAnswers:
        """A Sheet's answers; one that is no class of the task counts as one that names none."""
        predicted = np.where(sheet.predicted < sheet.classes, sheet.predicted, ABSENT) if sheet.extra_labels else None
        answers = sheet.predicted if predicted is None else predicted.astype(self.kind)
        return RunAnswers(answers, self.language_rows(sheet.layout), self._item_columns(sheet.layout))

    def gold_of_witness(self, classes: Mapping[str, str]) -> Classes:
        """The gold classes (all items) that the task is known to have in a language."""
        gold: Classes = np.full(len(self.items), ABSENT, self.kind)
        for item, label in classes.items():
            gold[self._item_positions[item]] = self._label_positions.get(label, ABSENT)
        return gold

    def language_rows(self, layout: ItemLayout) -> NDArray[np.intp]:
        """Where a ItemLayout's languages lie among all."""
        return self._remembered(layout.codes, self._code_positions)

    def _item_columns(self, layout: ItemLayout) -> NDArray[np.intp]:
        return self._remembered(layout.items, self._item_positions)

    def _remembered(self, names: tuple[str, ...], positions: Mapping[str, int]) -> NDArray[np.intp]:
        if names not in self._positions:  # most ItemLayouts have the same languages and items
            self._positions[names] = np.array([positions[name] for name in names], np.intp)
        return self._positions[names]


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(names)}
