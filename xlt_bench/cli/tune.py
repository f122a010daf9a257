"""`xlt-bench tune`: search a method's setting on source dev, then run the best one."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, GroupsOption, IntervalKind, Precision, Rerun, StoreOption


def tune(
    method: Annotated[str, typer.Option("--method", "-m", help="A name of `ls methods`, or path/to/file.py:Class.")],
    trials: Annotated[int, typer.Option(help="Settings to try, the default one among them.")],
    trial_seeds: Annotated[int, typer.Option(help="Fits a trial, with seeds that no reported run has.")] = 1,
    task: Annotated[str, typer.Option(help="A name of `ls tasks`, or path/to/task.toml.")] = "cldr",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the task's files.")] = None,
    sources: Annotated[str, typer.Option(help="Groups and codes, as for `run`.")] = "seen",
    targets: Annotated[str | None, typer.Option(help="Of the run with the best setting, as for `run`.")] = None,
    groups: GroupsOption = None,
    backbone: Annotated[str | None, typer.Option(help="As for `run`. [default: the task's]")] = None,
    seeds: Annotated[str | None, typer.Option(help="Of the run with the best setting. [default: the task's]")] = None,
    steps: Annotated[int | None, typer.Option(help="Of trials and run alike. [default: the preset's]")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="What all trials share, as name=value.")] = None,
    preset: Annotated[str | None, typer.Option(help="As for `run`. [default: the task's]")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N. [default: cuda where there is one]")] = None,
    precision: Annotated[Precision, typer.Option(help="auto is fp32 on a CPU and bf16 on a GPU.")] = Precision.AUTO,
    store: StoreOption = STORE,
    rerun: Annotated[Rerun | None, typer.Option(help="Make failed trials and runs again, or all of them.")] = None,
    only_search: Annotated[bool, typer.Option("--only-search", help="Do not run the best setting.")] = False,
) -> None:
    """Try settings around a method's defaults on source dev, the same ones for every method, and run the best."""
    from rich.console import Console

    from xlt_bench.cli.progress import LiveProgress
    from xlt_bench.cli.run import run_request
    from xlt_bench.engines import LocalEngine
    from xlt_bench.plugins.hyperparameters import parse_settings
    from xlt_bench.runs.plan import parse_seeds
    from xlt_bench.runs.request import Request
    from xlt_bench.tuning import prepare_search, search
    from xlt_bench.tuning.report import announcement, command, conclusion, line, table

    request = Request(
        method=method,
        task=task,
        data_dir=data_dir,
        sources=sources,
        targets=targets,
        backbone=backbone,
        seeds=parse_seeds(seeds) if seeds is not None else None,
        steps=steps,
        settings=parse_settings(settings or []),
        groups_file=groups,
        preset=preset,
        device=device,
        precision=precision.value,
        store=store,
        rerun=rerun.value if rerun else None,
    )
    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal
    planned = prepare_search(request, trials, trial_seeds)
    notes.print(announcement(planned))
    try:
        # what a method prints must not end up among the results
        with LiveProgress(notes, planned.label, planned.missing) as progress, redirect_stdout(sys.stderr):
            tuned = search(
                planned,
                LocalEngine(progress),
                report=lambda trial: notes.print(line(trial, trials)),
                waiting=lambda number: notes.print(f"other processes work on the last {number} fits; waiting for them"),
            )
    except KeyboardInterrupt:
        notes.print(f"stopped; {planned.missing} fits are missing; the same command goes on with them")
        raise typer.Exit(130) from None
    Console(highlight=False).print(table(tuned))
    print(conclusion(tuned))
    print(f"The same setting by hand, not marked as tuned: {command(tuned.best.request)}")
    if not only_search:
        run_request(tuned.request(), pack=None, interval=IntervalKind.TWO_WAY, level=0.95, as_json=False)
