"""`xlt-bench tune`: search a method's setting on source dev, then run the best one."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

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
from xlt_bench.cli.options import with_request
from xlt_bench.cli.waiting import say_waiting
from xlt_bench.runs.request import Request


@with_request("tune", required=["method"])
def tune(
    request: Request,
    trials: Annotated[int, typer.Option(help="Settings to try, the default one among them.")],
    trial_seeds: Annotated[int, typer.Option(help="Fits a trial, with seeds that no reported run has.")] = 1,
    only_search: Annotated[bool, typer.Option("--only-search", help="Do not run the best setting.")] = False,
    engine: EngineOption = LOCAL,
    profile: ProfileOption = None,
    job: JobOption = None,
    detach: DetachOption = False,
) -> None:
    """Try settings around a method's defaults on source dev, the same ones for every method, and run the best."""
    from rich.console import Console

    from xlt_bench.cli.run import run_request
    from xlt_bench.progress import console_display
    from xlt_bench.tuning import begin, prepare_search, search
    from xlt_bench.tuning.report import announcement, command, conclusion, line, table

    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal
    choice = EngineChoice(engine, profile=profile, job=tuple(job or ()), detach=detach)
    request = choice.check(request)
    planned = prepare_search(request, trials, trial_seeds)
    notes.print(announcement(planned))
    try:
        # what a method prints must not end up among the results
        with console_display(notes, planned.label, planned.missing) as progress, redirect_stdout(sys.stderr):
            carrier = choice.maker(notes)(progress)
            if detach:
                begin(planned, carrier)
                print(f"{planned.missing} fits are missing; the same command without --detach waits for them")
                return
            tuned = search(
                planned,
                carrier,
                report=lambda trial: notes.print(line(trial, trials)),
                waiting=say_waiting(notes, "fits"),
            )
    except KeyboardInterrupt:
        notes.print(f"stopped; {planned.missing} fits are missing; the same command goes on with them")
        leave_or_cancel(choice, planned.store, notes)
        raise typer.Exit(130) from None
    Console(highlight=False).print(table(tuned))
    print(conclusion(tuned))
    print(f"The same setting by hand, not marked as tuned: {command(tuned.best.request)}")
    if not only_search:
        run_request(tuned.request(), choice)
