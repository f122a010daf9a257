"""What `xlt-bench study ls`, `plan` and `status` print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.studies.catalogue import find_study, study_names
from xlt_bench.studies.definition import Study
from xlt_bench.studies.planning import Planned, distinct
from xlt_bench.studies.running import CELL_STATES, CellCounts, Estimate

if TYPE_CHECKING:
    from xlt_bench.engines.slurm.overview import JobRow

_GIB = 2**30


def listed() -> Table:
    """The shipped studies and what they ask."""
    table = _table("study", "what it asks")
    for name in study_names():
        study = find_study(name)
        table.add_row(name, Text(f"{study.title}. {study.question}"))
    return table


def plan_table(study: Study, planned: Sequence[Planned], costs: Sequence[Estimate | None] | None) -> Group:
    """Configurations with their cells and what they may cost; then the sums."""
    table = _table("method", "sources", "protocol", "cells", "missing", *(("about", "memory") if costs else ()))
    for place, configuration in enumerate(planned):
        cells = configuration.cells
        protocol = cells[-1].protocol if cells else "-"
        missing = len(configuration.experiment.missing) if configuration.experiment else 0
        names = (_label(configuration), configuration.sources, protocol)
        cost = [] if costs is None else _cost(costs[place])
        table.add_row(*(Text(clean(name)) for name in names), str(len(cells)), str(missing), *cost)
    experiments = [configuration.experiment for configuration in planned if configuration.experiment]
    missing_cells = {cell.fingerprint for experiment in experiments for cell in experiment.missing}
    sums = [Text(f"study {study.name}: {len(distinct(planned))} cells, {len(missing_cells)} of them to run")]
    if costs is not None:
        estimates = [cost for cost in costs if cost is not None]
        memory = max((estimate.memory_bytes for estimate in estimates), default=0)
        sums.append(
            Text(
                f"about {_duration(sum(estimate.seconds for estimate in estimates))} with one process, "
                f"{memory / _GIB:.1f} GiB (from a few measured steps of each method; a busy machine takes longer)"
            )
        )
    return Group(table, *sums, *(Text(line) for line in left_out(planned)))


def left_out(planned: Sequence[Planned]) -> list[str]:
    """One line for each configuration that cannot be, with the reason."""
    return [
        clean(f"left out: {_label(configuration)}, sources {configuration.sources}: {configuration.reason}")
        for configuration in planned
        if configuration.reason
    ]


def status_table(study: Study, counts: Sequence[CellCounts], jobs: Sequence[JobRow] = ()) -> Group:
    """Configurations with the numbers of their cells by state; then the jobs of a cluster that make them."""
    table = _table("method", "sources", *CELL_STATES)
    for count in counts:
        names = (Text(clean(count.outline.method)), Text(clean(count.outline.sources)))
        table.add_row(*names, *(str(count.by_state[state]) for state in CELL_STATES))
    parts: list[RenderableType] = [table, Text(f"study {study.name}: {status_line(counts)}")]
    if jobs:
        job_table = _table("jobs", "state", "runs to make", "where or why")
        for row in jobs:
            job_table.add_row(*(Text(clean(text)) for text in (row.ids, row.state, str(row.cells), row.detail)))
        parts.append(job_table)
    return Group(*parts)


def status_line(counts: Iterable[CellCounts]) -> str:
    """The sums, in words."""
    sums = sum((count.by_state for count in counts), Counter[str]())
    return ", ".join(f"{sums[state]} {state}" for state in CELL_STATES if sums[state] or state == "done")


def _label(planned: Planned) -> str:
    return planned.experiment.setup.label if planned.experiment else planned.method


def _cost(cost: Estimate | None) -> tuple[str, str]:
    if cost is None:
        return "not known", "not known"
    return (_duration(cost.seconds), f"{cost.memory_bytes / _GIB:.1f} GiB") if cost.seconds else ("-", "-")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _table(*columns: str) -> Table:
    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
