"""Of one system, only the result with the strongest evidence is a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from xlt_bench.records.record import Evidence, Record

LEVELS: tuple[Evidence, ...] = get_args(Evidence)
"""From the strongest to the weakest."""


def strongest(configurations: Iterable[Sequence[Record]]) -> list[tuple[Sequence[Record], list[Record]]]:
    """The configurations to show, each with the Records of the same system that have weaker evidence."""
    listed = list(configurations)
    best: dict[tuple[object, ...], int] = {}
    for runs in listed:
        best[_system(runs[0])] = min(_level(runs[0]), best.get(_system(runs[0]), len(LEVELS)))
    weaker: dict[tuple[object, ...], list[Record]] = {}
    for runs in listed:
        if _level(runs[0]) > best[_system(runs[0])]:
            weaker.setdefault(_system(runs[0]), []).extend(runs)
    strong = [runs for runs in listed if _level(runs[0]) == best[_system(runs[0])]]
    return [(runs, weaker.get(_system(runs[0]), [])) for runs in strong]


def _level(record: Record) -> int:
    return LEVELS.index(record.evidence)


def _system(record: Record) -> tuple[object, ...]:
    """What a published result is of; our own runs are each a system of their own."""
    cell = record.cell
    return (cell.method, record.setting, cell.sources) if record.setting else (cell.configuration,)
