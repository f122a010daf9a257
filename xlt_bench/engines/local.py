"""The local engine: one process, one pack of cells after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlt_bench.plan import Cell
from xlt_bench.records import Record
from xlt_bench.runner import Runner


def packs(cells: Sequence[Cell], size: int) -> Iterator[list[Cell]]:
    """Cells that may train together: same sources and targets, other seeds; at most `size` at once."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Cell]] = {}
    for cell in cells:
        alike.setdefault((cell.sources, cell.targets), []).append(cell)
    for members in alike.values():
        for start in range(0, len(members), size):
            yield members[start : start + size]


def run_local(cells: Sequence[Cell], runner: Runner, pack: int = 1) -> Iterator[Record]:
    """Run the cells, yielding each Record when it lies in the store."""
    for members in packs(cells, pack):
        yield from runner.run(members)
