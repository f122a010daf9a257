"""`xlt-bench study`: named plans of many runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.cli.engines import (
    LOCAL,
    DetachOption,
    EngineChoice,
    EngineOption,
    JobOption,
    ProfileOption,
    leave_or_cancel,
)
from xlt_bench.cli.options import MetricOption, PackOption, ThreadsOption, with_request
from xlt_bench.cli.waiting import say_waiting
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.runs.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.engines.slurm.overview import Overview
    from xlt_bench.method import Progress
    from xlt_bench.records.store import Store
    from xlt_bench.runs.experiment import Experiment
    from xlt_bench.runs.loader import Loader
    from xlt_bench.studies.definition import Study
    from xlt_bench.studies.outlines import Outline
    from xlt_bench.studies.planning import Planned


class Action(StrEnum):
    """What to do with a study."""

    LS = "ls"
    PLAN = "plan"
    RUN = "run"
    STATUS = "status"
    REPORT = "report"


@with_request("study")
def study(
    request: Request,
    action: Annotated[Action, typer.Argument(help="List studies; or plan, run, look at or report one.")],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A name of `study ls`, or the path of a TOML file.",
            autocompletion=completer("studies"),
        ),
    ] = None,
    limit_cells: Annotated[int | None, typer.Option(help="run: at most so many cells now.")] = None,
    pack: PackOption = None,
    threads: ThreadsOption = None,
    engine: EngineOption = LOCAL,
    profile: ProfileOption = None,
    job: JobOption = None,
    detach: DetachOption = False,
    estimate: Annotated[
        bool, typer.Option("--estimate/--no-estimate", help="plan: measure a few steps of each method.")
    ] = True,
    metric: MetricOption = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="report: Markdown here, figures beside it.")
    ] = None,
) -> None:
    """Named plans of many runs: list them, plan, run, see how far they are, report.

    What is given here goes before what the study says.
    """
    from xlt_bench.studies.catalogue import find_study

    if action is Action.LS:
        return _list()
    if name is None:
        raise ConfigError(f"study {action} needs a NAME; see: xlt-bench study ls")
    chosen = find_study(name)
    choice = EngineChoice(engine, pack, threads, profile, tuple(job or ()), detach)
    request = choice.check(request)
    if action is Action.STATUS:
        return _status(chosen, request)
    from xlt_bench.runs.loader import Loader
    from xlt_bench.studies.planning import plan_study

    loader = Loader()
    planned = plan_study(chosen, request, loader)
    if action is Action.PLAN:
        _plan(chosen, planned, loader, estimate)
    elif action is Action.RUN:
        _run(chosen, planned, loader, limit_cells, choice)
    else:
        from xlt_bench.leaderboard.study.report import show_report

        show_report(chosen, planned, output, metric)


def _list() -> None:
    from rich.console import Console

    from xlt_bench.studies.listing import listed

    Console(highlight=False).print(listed())


def _plan(study: Study, planned: list[Planned], loader: Loader, estimate: bool) -> None:
    from rich.console import Console

    from xlt_bench.studies.listing import plan_table
    from xlt_bench.studies.probe import Probes
    from xlt_bench.studies.running import estimates

    costs = None
    if estimate:
        with redirect_stdout(sys.stderr):
            costs = list(estimates(planned, Probes(_store(planned).folder, loader)))
    Console(highlight=False).print(plan_table(study, planned, costs))


def _run(study: Study, planned: list[Planned], loader: Loader, limit: int | None, choice: EngineChoice) -> None:
    from rich.console import Console

    from xlt_bench.studies.listing import left_out, status_line
    from xlt_bench.studies.outlines import outline_of
    from xlt_bench.studies.running import cell_counts, run_study

    if limit is not None and choice.name == "slurm":
        raise ConfigError("--limit-cells counts runs that this process makes; of jobs, limit --job jobs_at_once=")
    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal
    for line in left_out(planned):
        notes.print(line)
    outlines, store = [outline_of(configuration) for configuration in planned], _store(planned)
    try:
        with redirect_stdout(sys.stderr):
            faults = run_study(
                planned,
                choice.maker(notes, loader),
                _display(notes, len(planned)),
                waiting=None if choice.detach else say_waiting(notes, "runs"),
                limit=limit,
            )
    except KeyboardInterrupt:
        notes.print(f"stopped; {status_line(cell_counts(outlines, store))}; the same command goes on with the rest")
        leave_or_cancel(choice, store.folder, notes)
        raise typer.Exit(130) from None
    for fault in faults:
        notes.print(f"could not be run: {fault}", style="red")
    counts = list(cell_counts(outlines, store, _jobs(outlines, store, notes).cells))
    print(f"study {study.name}: {status_line(counts)}")
    if any(count.failed for count in counts):
        notes.print("Failed runs are kept as failed; --rerun failed tries them again.")
    if faults or any(count.failed for count in counts):
        raise typer.Exit(1)


def _status(study: Study, request: Request) -> None:
    from rich.console import Console

    from xlt_bench.records.store import Store
    from xlt_bench.studies.listing import status_table
    from xlt_bench.studies.outlines import study_outlines
    from xlt_bench.studies.running import cell_counts

    outlines, store = study_outlines(study, request), Store(request.store)
    jobs = _jobs(outlines, store, Console(stderr=True, highlight=False, markup=False))
    counts = list(cell_counts(outlines, store, jobs.cells))
    Console(highlight=False).print(status_table(study, counts, jobs.rows))


def _jobs(outlines: list[Outline], store: Store, notes: Console) -> Overview:
    """What jobs of a cluster do for a study; where the cluster does not answer, that is said and nothing known."""
    from xlt_bench.engines.slurm.overview import Overview, overview

    fingerprints = {fingerprint for outline in outlines for fingerprint in outline.fingerprints}
    try:
        return overview(store, fingerprints)
    except EngineError as error:
        notes.print(f"of jobs nothing is known now: {error}", style="red", soft_wrap=True)
        return Overview()


def _store(planned: list[Planned]) -> Store:
    """The one store of a study."""
    return next(part.experiment.setup.store for part in planned if part.experiment)


def _display(
    notes: Console, configurations: int
) -> Callable[[Planned, int, Experiment], AbstractContextManager[Progress]]:
    from xlt_bench.progress import console_display

    @contextmanager
    def show(planned: Planned, number: int, experiment: Experiment) -> Iterator[Progress]:
        where = f"[{number} of {configurations}] {experiment.setup.label}, sources {planned.sources}"
        notes.print(f"{where}: {len(experiment.cells)} runs to do")
        with console_display(notes, experiment.setup.label, len(experiment.missing)) as progress:
            yield progress

    return show
