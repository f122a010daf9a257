"""Where the languages, items and classes of each run lie among those of all runs of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.seed_answers import RunAnswers
from xlt_bench.records.answers import ABSENT, Classes, Sheet


class Placing:
    """One order of languages, items and classes for several Sheets, which all have the same classes.

    Args:
        witness: language -> item id -> class that the task is known to hold.
        labels: the task's classes.

    Attributes:
        codes, items: of all Sheets and the witness, sorted.
    """

    def __init__(
        self, sheets: Sequence[Sheet], witness: Mapping[str, Mapping[str, str]], labels: Sequence[str]
    ) -> None:
        ids = {item for gold in witness.values() for item in gold}
        self.codes = tuple(sorted(set(witness).union(*(sheet.codes for sheet in sheets))))
        self.items = tuple(sorted(ids.union(*{sheet.items for sheet in sheets})))
        self._code_positions, self._item_positions = _positions(self.codes), _positions(self.items)
        self._label_positions = _positions(labels)
        self._positions: dict[tuple[str, ...], NDArray[np.intp]] = {}

    def gold_of(self, sheet: Sheet) -> Classes:
        """The gold classes of a Sheet: (its languages, all items)."""
        gold = np.full((len(sheet.codes), len(self.items)), ABSENT, np.int16)
        gold[:, self._item_columns(sheet)] = sheet.gold
        return gold

    def answers_of(self, sheet: Sheet) -> RunAnswers:
        """A Sheet's answers; one that is no class of the task counts as one that names none."""
        predicted = np.full((len(self.codes), len(self.items)), ABSENT, np.int16)
        answers = np.where(sheet.predicted < sheet.classes, sheet.predicted, ABSENT)
        rows = self.language_rows(sheet)
        predicted[np.ix_(rows, self._item_columns(sheet))] = answers
        present = np.zeros(len(self.codes), bool)
        present[rows] = True
        return RunAnswers(predicted, present)

    def gold_of_witness(self, classes: Mapping[str, str]) -> Classes:
        """The gold classes (all items) that the task is known to have in a language."""
        gold = np.full(len(self.items), ABSENT, np.int16)
        for item, label in classes.items():
            gold[self._item_positions[item]] = self._label_positions.get(label, ABSENT)
        return gold

    def language_rows(self, sheet: Sheet) -> NDArray[np.intp]:
        """Where a Sheet's languages lie among all."""
        return self._remembered(sheet.codes, self._code_positions)

    def _item_columns(self, sheet: Sheet) -> NDArray[np.intp]:
        return self._remembered(sheet.items, self._item_positions)

    def _remembered(self, names: tuple[str, ...], positions: Mapping[str, int]) -> NDArray[np.intp]:
        if names not in self._positions:  # most Sheets have the same languages and items
            self._positions[names] = np.array([positions[name] for name in names], np.intp)
        return self._positions[names]


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(names)}
