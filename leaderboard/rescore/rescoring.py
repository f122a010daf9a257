"""Metrics of stored Records, computed again from their predictions. No model is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlt_bench.errors import StoreError
from xlt_bench.leaderboard.data.gathering import named
from xlt_bench.metrics import METRICS
from xlt_bench.records.answers import ABSENT, Sheet
from xlt_bench.records.record import Record

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rescored:
    """One Record with its metrics as its predictions give them.

    Attributes:
        record: with `accuracy` and `macro_f1` by language.
        sheet: of its predictions.
        differing: languages whose stored accuracy was another; a Record without stored accuracy has none.
        changed: whether anything is to be written.
    """

    record: Record
    sheet: Sheet
    differing: tuple[str, ...]
    changed: bool


def scores_by_language(sheet: Sheet) -> dict[str, dict[str, float]]:
    """Name of each metric -> language -> score in [0, 1]; an answer outside the task's classes is a miss."""
    predicted = np.where(sheet.predicted < sheet.classes, sheet.predicted, ABSENT).astype(np.int16)
    scores = {}
    for name, metric in METRICS.items():
        values = metric.values(sheet.gold, predicted[None], sheet.classes)
        scores[name] = dict(zip(sheet.codes, np.nanmean(values[0], axis=1).tolist(), strict=True))
    return scores


def rescored(records: Sequence[Record], load: Callable[[Record], Sheet], skipped: list[str]) -> Iterator[Rescored]:
    """Every complete per-item Record with its metrics; what cannot be read is told in `skipped`."""
    for record in records:
        if not record.complete or record.evidence != "per_item":
            continue
        try:
            sheet = load(record)
        except (StoreError, ValueError) as error:
            skipped.append(f"{named(record)}: {error}")
            continue
        scores = scores_by_language(sheet)
        again = replace(record, accuracy=scores["accuracy"], macro_f1=scores["macro-f1"])
        yield Rescored(again, sheet, _differing(record.accuracy, again.accuracy), again != record)


def _differing(stored: Mapping[str, float], computed: Mapping[str, float]) -> tuple[str, ...]:
    codes = dict.fromkeys([*stored, *computed]) if stored else {}
    return tuple(code for code in codes if abs(stored.get(code, -1.0) - computed.get(code, -1.0)) > _ROUNDING)
