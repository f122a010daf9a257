"""Metrics of stored Records, computed again from their predictions. No model is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import StoreError
from ..records import Record
from ..stats import accuracy, confusion_counts, macro_f1
from .gathering import named
from .sheet import Sheet

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rescored:
    """One Record with its metrics as its predictions give them.

    Attributes:
        record: with `accuracy` and `macro_f1` by language.
        differing: languages whose stored accuracy was another; a Record without stored accuracy has none.
    """

    record: Record
    differing: tuple[str, ...]


def metrics(sheet: Sheet) -> tuple[dict[str, float], dict[str, float]]:
    """Accuracy and macro-F1 by language, in [0, 1], through confusion counts.

    A class is what a gold label names; any other answer is a miss of the gold class and of no other.
    """
    answers = np.where(sheet.predicted < sheet.gold_labels, sheet.predicted, -1)
    counts = confusion_counts(sheet.gold, answers, max(2, sheet.gold_labels))
    return _by_code(sheet, accuracy(counts)), _by_code(sheet, macro_f1(counts))


def rescored(
    records: Sequence[Record], load: Callable[[Record], Sheet], skipped: list[str]
) -> Iterator[Rescored]:
    """Every complete per-item Record, its metrics computed again; what cannot be read is told in `skipped`."""
    for record in records:
        if not record.complete or record.evidence != "per_item":
            continue
        try:
            own_accuracy, own_f1 = metrics(load(record))
        except (StoreError, ValueError) as error:
            skipped.append(f"{named(record)}: {error}")
            continue
        yield Rescored(
            replace(record, accuracy=own_accuracy, macro_f1=own_f1), _differing(record.accuracy, own_accuracy)
        )


def by_group(values: Mapping[str, float], codes: Sequence[str]) -> float | None:
    """The plain mean over the group's languages that have a value; None if none has."""
    found = [values[code] for code in codes if code in values]
    return float(np.mean(found)) if found else None


def _differing(stored: Mapping[str, float], found: Mapping[str, float]) -> tuple[str, ...]:
    if not stored:
        return ()
    every = dict.fromkeys([*stored, *found])
    return tuple(code for code in every if abs(stored.get(code, -1.0) - found.get(code, -1.0)) > _ROUNDING)


def _by_code(sheet: Sheet, values: np.ndarray) -> dict[str, float]:
    return {code: float(value) for code, value in zip(sheet.codes, values, strict=True)}
