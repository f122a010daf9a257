"""Metrics of stored Records, computed again from their predictions. No model is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from xlt_bench.errors import StoreError
from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.data.gathering import named
from xlt_bench.leaderboard.render.words import NOTHING, percent
from xlt_bench.records.answers import Sheet
from xlt_bench.records.record import Record
from xlt_bench.stats import accuracy, confusion_counts, macro_f1

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rescored:
    """One Record with its metrics as its predictions give them.

    Attributes:
        record: with `accuracy` and `macro_f1` by language.
        differing: languages whose stored accuracy was another; a Record without stored accuracy has none.
        changed: whether anything is to be written.
    """

    record: Record
    differing: tuple[str, ...]
    changed: bool


def metrics(sheet: Sheet) -> tuple[dict[str, float], dict[str, float]]:
    """Accuracy and macro-F1 by language, in [0, 1], through confusion counts.

    An answer that names no class of the task is a miss of the gold class and of no other.
    """
    answers = np.where(sheet.predicted < sheet.classes, sheet.predicted, -1)
    counts = confusion_counts(sheet.gold, answers, sheet.classes)
    return _by_code(sheet, accuracy(counts)), _by_code(sheet, macro_f1(counts))


def rescored(records: Sequence[Record], load: Callable[[Record], Sheet], skipped: list[str]) -> Iterator[Rescored]:
    """Every complete per-item Record with its metrics; what cannot be read is told in `skipped`."""
    for record in records:
        if not record.complete or record.evidence != "per_item":
            continue
        try:
            own_accuracy, own_f1 = metrics(load(record))
        except (StoreError, ValueError) as error:
            skipped.append(f"{named(record)}: {error}")
            continue
        again = replace(record, accuracy=own_accuracy, macro_f1=own_f1)
        yield Rescored(again, _differing(record.accuracy, own_accuracy), again != record)


def table(found: Sequence[Rescored]) -> Table:
    """One line a configuration and target group, means over its runs."""
    grid = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for name in ("method", "sources", "group"):
        grid.add_column(name, overflow="fold")
    for name in ("accuracy", "macro-F1", "runs"):
        grid.add_column(name, justify="right", no_wrap=True)
    for line in summary(found):
        values = [NOTHING if line[name] is None else percent(line[name]) for name in ("accuracy", "macro_f1")]
        grid.add_row(
            *map(Text, (*(clean(line[name]) for name in ("method", "sources", "group")), *values, str(line["runs"])))
        )
    return grid


def summary(found: Sequence[Rescored]) -> list[dict[str, Any]]:
    """The lines of `table` as plain data, values in [0, 1]."""
    configurations: dict[str, list[Record]] = {}
    for one in found:
        configurations.setdefault(one.record.cell.configuration, []).append(one.record)
    return [
        {
            "configuration": key,
            "method": records[0].label,
            "sources": records[0].sources_label,
            "group": group,
            "accuracy": _mean([_of_group(record.accuracy, codes) for record in records]),
            "macro_f1": _mean([_of_group(record.macro_f1, codes) for record in records]),
            "runs": len(records),
        }
        for key, records in configurations.items()
        for group, codes in {name: codes for record in records for name, codes in record.groups.items()}.items()
    ]


def _of_group(values: Mapping[str, float], codes: Sequence[str]) -> float | None:
    return _mean([values.get(code) for code in codes])


def _mean(values: Sequence[float | None]) -> float | None:
    """The plain mean of those that are there."""
    found = [value for value in values if value is not None]
    return float(np.mean(found)) if found else None


def _differing(stored: Mapping[str, float], found: Mapping[str, float]) -> tuple[str, ...]:
    every = dict.fromkeys([*stored, *found]) if stored else {}
    return tuple(code for code in every if abs(stored.get(code, -1.0) - found.get(code, -1.0)) > _ROUNDING)


def _by_code(sheet: Sheet, values: NDArray[np.float64]) -> dict[str, float]:
    return {code: float(value) for code, value in zip(sheet.codes, values, strict=True)}
