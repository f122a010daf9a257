"""What `xlt-bench ls` and the first lines of `xlt-bench run` say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from xlt_bench.discovery import method_entries
from xlt_bench.records import Record
from xlt_bench.tasks import task_info, task_names

if TYPE_CHECKING:
    from xlt_bench.api import Experiment, Request


def _table(*columns: str) -> Table:
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def methods() -> Table:
    """Installed methods, from entry-point metadata alone."""
    table = _table("method", "package", "class")
    for name, entry in method_entries().items():
        table.add_row(name, entry.dist.name if entry.dist else "", Text(entry.value))
    return table


def tasks() -> Table:
    """Embedded tasks and their defaults."""
    table = _table("task", "what it asks", "backbone", "preset", "seeds")
    for name in task_names():
        info = task_info(name)
        table.add_row(name, info.summary, info.backbone, info.preset, str(info.seeds))
    return table


def groups(task: str, backbone: str | None) -> Table:
    """Language groups known for a task and a backbone."""
    info = task_info(task)
    table = _table("group", "languages", f"codes ({task}, backbone {backbone or info.backbone})")
    for name, codes in info.groups(backbone or info.backbone).items():
        ordered = sorted(codes)
        shown = " ".join(ordered[:8]) + (f" ... ({len(ordered) - 8} more)" if len(ordered) > 8 else "")
        table.add_row(name, str(len(codes)), shown)
    return table


def records(found: Sequence[Record]) -> Table:
    """Stored Records, one a line."""
    table = _table("record", "task", "backbone", "method", "sources", "protocol", "targets", "seed", "status")
    for record in found:
        cell = record.cell
        targets = str(len(cell.targets)) if len(cell.targets) > 1 else cell.targets[0]
        status = record.status if record.complete else f"failed: {(record.error or '').splitlines()[0][:60]}"
        row = (cell.fingerprint, cell.task, cell.backbone, record.label, record.sources_label, cell.protocol)
        table.add_row(*(Text(text) for text in (*row, targets, str(cell.seed), status)))
    return table


def announcement(experiment: Experiment, request: Request) -> str:
    """What a run is about to do, in three lines."""
    job, first = experiment.job, experiment.cells[0]
    fitted = f"{len(first.sources)} languages ({request.sources})" if first.sources else "each target's own train split"
    groups = ", ".join(f"{name} {len(codes)}" for name, codes in job.groups.items())
    lines = [f"{job.label} on {job.task.name}: fit on {fitted}, predict {groups}"]
    if first.recipe is not None:
        source = first.recipe["source"]
        budget = f"{source['steps']} steps" if source["steps"] else f"{source['epochs']} epochs"
        lines.append(
            f"backbone {first.backbone}, preset {first.preset}: {budget} of batch {first.recipe['batch_size']}, "
            f"{first.precision} on {job.device}"
        )
    seeds = sorted({cell.seed for cell in experiment.cells})
    runs = f"{len(experiment.cells)} runs, seeds {', '.join(map(str, seeds))}"
    lines.append(runs + (f"; {len(experiment.done)} are in the store already" if experiment.done else ""))
    return "\n".join(lines)
