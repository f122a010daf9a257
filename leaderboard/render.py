"""Blocks as a terminal table, or as plain data for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..stats import Interval
from .board import Block, Row, Setting


def percent(value: float) -> str:
    """An accuracy in [0, 1] as per cent with one digit."""
    return f"{100 * value:.1f}"


def tables(blocks: Sequence[Block], level: float) -> Group:
    """One table a setting."""
    by_setting: dict[Setting, list[Block]] = {}
    for block in blocks:
        by_setting.setdefault(block.setting, []).append(block)
    return Group(*(_table(members, level) for members in by_setting.values()))


def _table(blocks: Sequence[Block], level: float) -> Table:
    """One section a target group. Blocks must be of one setting."""
    grid = Table(
        title=Text(_title(blocks[0])),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    grid.add_column("target group, method", overflow="fold")
    grid.add_column("sources", max_width=24, overflow="fold")
    grid.add_column("accuracy", justify="right", no_wrap=True)
    grid.add_column(f"{100 * level:g}% interval", no_wrap=True)
    grid.add_column("seeds", justify="right", no_wrap=True)
    grid.add_column("items", justify="right", no_wrap=True)
    for block in blocks:
        grid.add_section()
        count = len(block.codes)
        grid.add_row(Text(f"{block.group}: {count} language{'s' if count > 1 else ''}", style="bold"))
        for row in block.rows:
            grid.add_row(*(Text(cell) for cell in _cells(row)))
    return grid


def _title(block: Block) -> str:
    setting = block.setting
    return f"{setting.task}, {setting.protocol}, backbone {setting.backbone}; accuracy in per cent"


def _cells(row: Row) -> list[str]:
    label = f"  {row.label}"
    if row.missing:
        label += f" [{row.languages} of {row.languages + len(row.missing)} languages]"
    seeds = str(len(row.seeds)) + (f" ({len(row.failed)} failed)" if row.failed else "")
    if row.accuracy is None:
        return [label, row.sources, "failed" if row.failed else "none", "", seeds, ""]
    if row.score is None:
        bounds = "none (one run)" if len(row.seeds) == 1 else "none (one item)"
        return [label, row.sources, percent(row.accuracy), bounds, seeds, ""]
    return [label, row.sources, percent(row.accuracy), _bounds(row.score), seeds, str(row.score.items)]


def _bounds(score: Interval) -> str:
    one = " (one run)" if score.seeds == 1 else ""
    if score.low == score.high:
        return f"no variance{one}"
    return f"{percent(max(score.low, 0.0))} to {percent(min(score.high, 1.0))}{one}"


def as_json(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Plain data; accuracies in [0, 1]."""
    return [asdict(block) for block in blocks]
