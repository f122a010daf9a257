"""The tables of `xlt-bench ls`. Each imports what it shows and nothing else, so that a list is there at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean

if TYPE_CHECKING:
    from rich.console import Group

    from xlt_bench.records.record import Record


def _table(*columns: str | Text) -> Table:
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def tasks() -> Table:
    """Installed tasks and their defaults; of one whose package is broken, what is wrong with it."""
    from xlt_bench.errors import XltBenchError
    from xlt_bench.tasks import task_info, task_names

    table = _table("task", "what it asks", "backbone", "preset", "seeds")
    for name in task_names():
        try:
            info = task_info(name)
        except XltBenchError as error:
            table.add_row(Text(clean(name)), Text(clean(f"cannot be used: {error}"), style="red"))
            continue
        table.add_row(*map(Text, map(clean, (name, info.summary, info.backbone, info.preset, str(info.seeds)))))
    return table


def groups(task: str, backbone: str | None, groups_file: Path | None = None, seen: str | None = None) -> Group:
    """Language groups known for a task and a backbone, and what a reader must know of them."""
    from rich.console import Group

    from xlt_bench.backbones.languages import pretraining_of
    from xlt_bench.backbones.source import check_name
    from xlt_bench.languages.known_groups import known_groups
    from xlt_bench.tasks import task_info

    info = task_info(task)
    backbone = backbone or info.backbone
    check_name(backbone)
    task_groups = known_groups(info, backbone, seen=seen, groups_file=groups_file)
    table = _table("group", "languages", Text(f"codes ({info.name}, backbone {backbone})"))
    for name, members in task_groups.groups.items():
        codes = sorted(members)
        listed = " ".join(codes[:8]) + (f" ... ({len(codes) - 8} more)" if len(codes) > 8 else "")
        table.add_row(name, str(len(codes)), listed)
    notes = list(task_groups.notes)
    pretraining = pretraining_of(backbone)
    if seen is None and pretraining is not None:
        notes.append(f"which languages {backbone} saw: {pretraining.source}")
    return Group(table, *(Text(clean(note)) for note in notes))


def records(stored: Sequence[Record]) -> Table:
    """Stored Records, the latest last: when, what, and how well, as far as one column holds it."""
    from xlt_bench.backbones.source import NO_BACKBONE
    from xlt_bench.leaderboard.data.versions import by_version

    superseded = {record.cell.configuration for record in by_version(stored).superseded}
    table = _table("record", "date", "label", "run", "seed", "accuracy or status")
    for column in (0, 1):
        table.columns[column].no_wrap = True
    table.columns[4].justify = "right"
    for record in sorted(stored, key=lambda record: (record.created, record.cell.fingerprint)):
        cell = record.cell
        backbone = f", {cell.backbone}" if cell.backbone != NO_BACKBONE else ""
        target = f", target {cell.targets[0]}" if len(cell.targets) == 1 else f", {len(cell.targets)} targets"
        run = f"{cell.task}{backbone}, sources {record.sources_label}{target}"
        status = _status(record, cell.configuration in superseded)
        texts = (cell.fingerprint, record.created[:16].replace("T", " "), record.row_label, run, str(cell.seed), status)
        table.add_row(*(Text(clean(text)) for text in texts))
    return table


def _status(record: Record, superseded: bool) -> str:
    """The mean of the primary target group, or the first; or why it failed; and what a reader should know."""
    from xlt_bench.leaderboard.data.facts import primary_group
    from xlt_bench.records.budget import excesses

    if not record.complete:
        return f"failed: {record.reason[:60]}"
    means = record.group_means()
    primary = primary_group(record.cell.task)
    group = primary if primary in means else next(iter(means), None)
    accuracy = record.status if group is None else f"{group} {100 * means[group]:.1f}%"
    return "; ".join([accuracy, *excesses([record]), *(["superseded"] if superseded else [])])
