"""What `xlt-bench ls` and the first lines of `xlt-bench run` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from xlt_bench.backbones.languages import pretraining_of
from xlt_bench.backbones.source import NO_BACKBONE, check_name
from xlt_bench.errors import XltBenchError
from xlt_bench.io.texts import clean
from xlt_bench.languages.known_groups import known_groups
from xlt_bench.plugins.registry import METHODS, entries, package_of
from xlt_bench.records.record import Record
from xlt_bench.tasks import task_info, task_names

if TYPE_CHECKING:
    from xlt_bench.runs.experiment import Experiment
    from xlt_bench.runs.request import Request


def _table(*columns: str | Text) -> Table:
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def methods() -> Table:
    """Installed methods, from entry-point metadata alone."""
    table = _table("method", "package", "class")
    for entry in entries(METHODS):
        table.add_row(*map(Text, (entry.name, package_of(entry), entry.value)))
    return table


def tasks() -> Table:
    """Installed tasks and their defaults; of one whose package is broken, what is wrong with it."""
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
    info = task_info(task)
    backbone = backbone or info.backbone
    check_name(backbone)
    known = known_groups(info, backbone, seen=seen, groups_file=groups_file)
    table = _table("group", "languages", Text(f"codes ({info.name}, backbone {backbone})"))
    for name, codes in known.groups.items():
        ordered = sorted(codes)
        cut = " ".join(ordered[:8]) + (f" ... ({len(ordered) - 8} more)" if len(ordered) > 8 else "")
        table.add_row(name, str(len(codes)), cut)
    pretraining = pretraining_of(backbone)
    source = (
        () if seen is not None or pretraining is None else (f"which languages {backbone} saw: {pretraining.source}",)
    )
    return Group(table, *(Text(clean(note)) for note in (*known.notes, *source)))


def records(found: Sequence[Record]) -> Table:
    """Stored Records, one a line; what does not change between them is left out of the columns."""
    table = _table("record", "run", "targets", "seed", "status")
    table.columns[0].no_wrap = True
    table.columns[3].justify = "right"
    for record in found:
        cell = record.cell
        targets = f"{len(cell.targets)} languages" if len(cell.targets) > 1 else cell.targets[0]
        backbone = f", {cell.backbone}" if cell.backbone != NO_BACKBONE else ""
        run = f"{record.label}; {cell.task}{backbone}, sources {record.sources_label}"
        texts = (cell.fingerprint, run, targets, str(cell.seed), _status(record))
        table.add_row(*(Text(clean(text)) for text in texts))
    return table


def _status(record: Record) -> str:
    return record.status if record.complete else f"failed: {record.reason[:60]}"


def announcement(experiment: Experiment, request: Request) -> str:
    """What a run is about to do, in a few lines."""
    setup, first = experiment.setup, experiment.cells[0]
    fitted = f"{len(first.sources)} languages ({request.sources})" if first.sources else "each target's own train split"
    groups = ", ".join(f"{name} ({len(codes)})" for name, codes in setup.groups.items())
    adapts = any(cell.adapts for cell in experiment.cells)
    stages = f"fit on {fitted}, adapt to each target, predict" if adapts else f"fit on {fitted}, predict"
    lines = [f"{setup.label} on {setup.task.name}: {stages} {groups}"]
    if request.shots != (None,):
        listed = ", ".join("all" if count is None else str(count) for count in request.shots)
        lines.append(f"labelled examples of each target: {listed}")
    if first.recipe is not None:
        budget = _budget(first.recipe["source"]) + (f", {_budget(first.recipe['target'])} a target" if adapts else "")
        lines.append(
            f"backbone {first.backbone}, preset {first.preset}: {budget} of batch {first.recipe['batch_size']}, "
            f"{first.precision} on {setup.device}"
        )
    elif request.steps or request.preset or request.precision == "bf16":
        lines.append(f"{setup.label} uses no backbone: --steps, --preset and --precision change nothing")
    lines.extend(f"note: {note}" for note in setup.notes)
    lines.extend(f"damaged, computed again: {found.folder}: {found.reason}" for found in experiment.damaged)
    lines.append(_runs(experiment))
    return "\n".join(lines)


def _budget(phase: Mapping[str, Any]) -> str:
    return f"{phase['steps']} steps" if phase["steps"] else f"{phase['epochs']} epochs"


def _runs(experiment: Experiment) -> str:
    cells, done = experiment.cells, experiment.done.values()
    seeds = sorted({cell.seed for cell in cells})
    listed = ", ".join(map(str, seeds)) if len(seeds) <= 10 else f"{seeds[0]} to {seeds[-1]}"
    told = f"{_counted(len(cells), 'run')}, {'seeds' if len(seeds) > 1 else 'seed'} {listed}"
    if done:
        told += f"; {len(done)} already in the store"
    failed = sum(not record.complete for record in done)
    return told + (f", {failed} of them failed (--rerun failed tries again)" if failed else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
