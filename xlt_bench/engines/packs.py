"""Packs: cells that may go through the backbone together. Every engine plans by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell

GPU_PACK = 16


def pack_size(requested: int | None, device: str) -> int:
    """How many cells a pack has at most.

    On a CPU one: arithmetic is the limit there, and a run that is interrupted takes its pack with it. On a GPU, where
    launches are the limit, all seeds up to 16; what does not fit into memory is split.

    Raises:
        ConfigError: less than one is requested.
    """
    if requested is not None and requested < 1:
        raise ConfigError(f"--pack must be at least 1, not {requested}")
    return requested or (GPU_PACK if device.startswith("cuda") else 1)


def packs(cells: Sequence[Cell], size: int) -> Iterator[list[Cell]]:
    """Cells that may train together, at most `size` at once.

    Same sources and targets, other seeds; or, if they adapt, same source fit and number of examples, other targets.
    """
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        key = (cell.source_fit, cell.shots) if cell.adapts else (cell.protocol, cell.sources, cell.targets, cell.shots)
        groups.setdefault(key, []).append(cell)
    for members in groups.values():
        for start in range(0, len(members), size):
            yield members[start : start + size]
