"""What `xlt-bench study ls`, `plan` and `status` print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.studies.catalogue import find_study, study_names
from xlt_bench.studies.definition import Study
from xlt_bench.studies.planning import Planned, distinct
from xlt_bench.studies.running import Estimate, Standing

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
    for at, one in enumerate(planned):
        cells = one.cells
        protocol = cells[-1].protocol if cells else "-"
        left = len(one.experiment.missing) if one.experiment else 0
        cost = [] if costs is None else _cost(costs[at])
        table.add_row(*(Text(clean(text)) for text in (_label(one), one.sources, protocol)),
                      str(len(cells)), str(left), *cost)  # fmt: skip
    every = distinct(planned)
    missing = {cell.fingerprint for one in planned if one.experiment for cell in one.experiment.missing}
    told = [Text(f"study {study.name}: {len(every)} cells, {len(missing)} of them to run")]
    if costs is not None:
        known = [cost for cost in costs if cost is not None]
        most = max((cost.memory_bytes for cost in known), default=0)
        told.append(
            Text(
                f"about {_duration(sum(cost.seconds for cost in known))} with one process, {most / _GIB:.1f} GiB "
                "(from a few measured steps of each method; a busy machine takes longer)"
            )
        )
    told += [Text(line) for line in left_out(planned)]
    return Group(table, *told)


def left_out(planned: Sequence[Planned]) -> list[str]:
    """One line for each configuration that cannot be, with the reason."""
    return [clean(f"left out: {_label(one)}, sources {one.sources}: {one.reason}") for one in planned if one.reason]


def status_table(study: Study, found: Sequence[Standing]) -> Group:
    """Configurations with the numbers of their cells by state."""
    table = _table("method", "sources", "done", "failed", "running", "missing")
    for one in found:
        names = (Text(clean(_label(one.planned))), Text(clean(one.planned.sources)))
        table.add_row(*names, str(one.done), str(one.failed), str(one.running), str(one.missing))
    return Group(table, Text(f"study {study.name}: {status_line(found)}"))


def status_line(found: Iterable[Standing]) -> str:
    """The sums, in words."""
    kept = list(found)
    sums = {state: sum(getattr(one, state) for one in kept) for state in ("done", "failed", "running", "missing")}
    return ", ".join(f"{number} {state}" for state, number in sums.items() if number or state == "done")


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
