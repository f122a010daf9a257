"""The local engine: one process, one pack of cells after the other; several may share a store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.runs.runner import Runner

_POLL_SECONDS = 1.0

Settled = Callable[[Cell], Record | None]
"""The Record that answers for a cell by now, for example because another process made it; None if it is to be run."""


def packs(cells: Sequence[Cell], size: int) -> Iterator[list[Cell]]:
    """Cells that may train together, at most `size` at once.

    Same sources and targets, other seeds; or, if they adapt, same source fit and number of examples, other targets.
    """
    alike: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        key = (cell.source_fit, cell.shots) if cell.adapts else (cell.protocol, cell.sources, cell.targets, cell.shots)
        alike.setdefault(key, []).append(cell)
    for members in alike.values():
        for start in range(0, len(members), size):
            yield members[start : start + size]


def run_local(
    cells: Sequence[Cell],
    runner: Runner,
    settled: Settled,
    pack: int = 1,
    waiting: Callable[[int], None] | None = None,
) -> Iterator[Record]:
    """Run the cells, yielding each Record when it lies in the store; what another process works on comes last.

    Args:
        settled: asked once a cell is claimed.
        waiting: is told how many cells other processes work on, when there is nothing left but these; None: they are
            left to them.
    """
    left, told = list(cells), False
    while left:
        busy: list[Cell] = []
        for members in packs(left, pack):
            found = list(_run_pack(members, runner, settled))
            yield from found
            done = {record.cell.fingerprint for record in found}
            busy += [cell for cell in members if cell.fingerprint not in done]
        if len(busy) == len(left):
            if waiting is None:
                return
            if not told:
                waiting(len(busy))
            told = True
            time.sleep(_POLL_SECONDS)
        left = busy


def _run_pack(cells: Sequence[Cell], runner: Runner, settled: Settled) -> Iterator[Record]:
    """Records of the cells that this process could claim; of those that were made meanwhile, what was made."""
    claims = runner.job.store.claims
    with claims.hold([cell.fingerprint for cell in cells]) as claimed:
        mine = [cell for cell in cells if cell.fingerprint in claimed]
        there = [record for cell in mine if (record := settled(cell))]
        yield from there
        done = {record.cell.fingerprint for record in there}
        missing = [cell for cell in mine if cell.fingerprint not in done]
        if missing and _has_source(missing[0], runner):
            yield from runner.run(missing)


def _has_source(cell: Cell, runner: Runner) -> bool:
    """Whether what a cell adapts from is there, making it if no other process does."""
    if not cell.adapts or runner.has_source(cell):
        return True
    with runner.job.store.claims.hold([cell.source_fit]) as claimed:
        if claimed and not runner.has_source(cell):
            runner.fit_source(cell)
    return bool(claimed)
