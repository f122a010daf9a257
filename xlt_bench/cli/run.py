"""`xlt-bench run`."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import typer

from xlt_bench.cli.engines import (
    LOCAL,
    DetachOption,
    EngineChoice,
    EngineOption,
    JobOption,
    ProfileOption,
    leave_or_cancel,
)
from xlt_bench.cli.options import (
    STORE,
    Interval,
    IntervalOption,
    JsonOption,
    LevelOption,
    PackOption,
    ThreadsOption,
    with_request,
)
from xlt_bench.cli.printing import readable_records
from xlt_bench.cli.waiting import say_waiting
from xlt_bench.runs.option_values import check_level
from xlt_bench.runs.request import Request

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.records.record import Record
    from xlt_bench.records.store import Store
    from xlt_bench.runs.experiment import Experiment


@with_request("run")
def run(
    request: Request,
    interval: IntervalOption = "two-way",
    level: LevelOption = 0.95,
    pack: PackOption = None,
    threads: ThreadsOption = None,
    engine: EngineOption = LOCAL,
    profile: ProfileOption = None,
    job: JobOption = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a method on source languages, predict the targets, and show accuracies with intervals."""
    check_level(level)
    choice = EngineChoice(engine, pack, threads, profile, tuple(job or ()), detach)
    run_request(choice.check(request), choice, interval, level, as_json)


def run_request(
    request: Request, choice: EngineChoice, interval: Interval = "two-way", level: float = 0.95, as_json: bool = False
) -> None:
    """Carry out a request that the engine has checked, and show its board; what `run` does."""
    from rich.console import Console

    from xlt_bench.cli.announcement import announcement
    from xlt_bench.engines import carry_out
    from xlt_bench.method import Activity
    from xlt_bench.progress import console_display
    from xlt_bench.records.record import Record
    from xlt_bench.runs.text_lengths import cut_texts

    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal  # wrapped at words on a terminal, one line a fact elsewhere
    try:
        with console_display(notes) as progress:
            progress.activity(Activity("loading", f"method {request.method} and task {request.task}"))
            experiment = _prepared(request)
            progress.activity(Activity("encoding", "some texts, to see whether any is cut"))
            cut = cut_texts(experiment)
    except KeyboardInterrupt:
        notes.print("stopped before anything was run")
        raise typer.Exit(130) from None
    notes.print(announcement(experiment, request))
    for note in cut:
        notes.print(f"note: {note}", soft_wrap=True)
    try:
        # what a method prints must not end up among the results
        display = console_display(notes, experiment.setup.label, len(experiment.missing))
        with display as progress, redirect_stdout(sys.stderr):
            waiting = None if choice.detach else say_waiting(notes, "runs")
            records = carry_out(experiment, choice.maker(notes)(progress), waiting, keep_fits=choice.detach)
    except KeyboardInterrupt:
        store = experiment.setup.store
        complete = sum(isinstance(store.find(cell.fingerprint), Record) for cell in experiment.cells)
        notes.print(
            f"stopped; {complete} of {len(experiment.cells)} runs are in {store.folder} and whole; "
            "the same command goes on with the rest"
        )
        leave_or_cancel(choice, store.folder, notes)
        raise typer.Exit(130) from None
    if choice.detach:
        print(
            f"{len(records)} of {len(experiment.cells)} runs are made; the same command without --detach waits for all"
        )
        return
    _show(records, experiment, notes, interval, level, as_json)


def _prepared(request: Request) -> Experiment:
    """The checked request; from here on its row bears its label."""
    from xlt_bench.runs.naming import name_row
    from xlt_bench.runs.preparing import prepare

    experiment = prepare(request)
    experiment.check_store()
    name_row(experiment, request.label)
    return experiment


def _show(
    records: list[Record], experiment: Experiment, notes: Console, interval: Interval, level: float, as_json: bool
) -> None:
    from xlt_bench.leaderboard.board.boards import board_of, with_floors
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.leaderboard.render.output import show

    store = experiment.setup.store
    options = Options(interval=interval, level=level, bootstrap=as_json, targets=experiment.setup.groups)
    board = board_of(with_floors(records, readable_records(store)), store, options)
    show([board], "json" if as_json else "table", None, {"records": [record.as_json() for record in records]})
    failed = [record for record in records if not record.complete]
    for record in failed:
        target = f", {record.cell.targets[0]}" if record.cell.learns_target else ""
        run = f"{record.row_label}, seed {record.cell.seed}{target}"
        where = store.folder_of(record.cell.fingerprint) / "record.json"
        notes.print(f"{run} failed: {record.reason} (more in {where})", style="red")
    notes.print(f"Records: {store.folder} ({len(records)} of this run); all of them: {_board_command(store)}")
    if failed:
        notes.print("Failed runs are kept as failed; --rerun failed tries them again.")
        raise typer.Exit(1)


def _board_command(store: Store) -> str:
    return "xlt-bench leaderboard" + ("" if store.folder == STORE else f" --store {shlex.quote(str(store.folder))}")
