"""`xlt-bench evaluate`: an existing adapter, scored as a row of the board."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, JsonOption, StoreOption, declared
from xlt_bench.errors import MethodError
from xlt_bench.runs.request import Precisions


def evaluate(
    adapter: Annotated[str, typer.Argument(metavar="ADAPTER", help="A PEFT adapter: folder or hub id.")],
    task: Annotated[str, declared("task")] = "cldr",
    data_dir: Annotated[Path | None, declared("data_dir")] = None,
    sources: Annotated[
        str | None, typer.Option(help="What it was trained on, as for `run`; else it is not called zero-shot.")
    ] = None,
    targets: Annotated[str | None, typer.Option(help="Groups and codes. [default: all groups without sources]")] = None,
    backbone: Annotated[str | None, typer.Option(help="[default: the one that the adapter names]")] = None,
    labels: Annotated[
        str | None, typer.Option(help="The task's classes in the adapter's order: a,b,c. [default: as it says]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the row. [default: the adapter's]")] = None,
    device: Annotated[str | None, declared("device")] = None,
    precision: Annotated[Precisions, declared("precision")] = "auto",
    store: StoreOption = STORE,
    rerun: Annotated[bool, typer.Option("--rerun", help="Score again what the store already holds.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score an existing PEFT adapter on the languages of a task, as a Record that the board shows.

    Example: xlt-bench evaluate my-adapter --task sib200 --targets unseen
    """
    from rich.console import Console

    from xlt_bench.adapters.labels import parse_labels
    from xlt_bench.engines import LocalEngine, carry_out
    from xlt_bench.leaderboard.board.boards import board_of
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.leaderboard.render.output import show
    from xlt_bench.method import Activity
    from xlt_bench.progress import console_display
    from xlt_bench.runs.evaluation import Evaluation
    from xlt_bench.runs.preparing_evaluation import is_below_chance, prepare_evaluation

    request = Evaluation(
        adapter=adapter,
        task=task,
        data_dir=data_dir,
        sources=sources,
        targets=targets,
        backbone=backbone,
        labels=parse_labels(labels),
        name=name,
        device=device,
        precision=precision,
        store=store,
        rerun=rerun,
    )
    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal
    with console_display(notes) as progress:
        progress.activity(Activity("loading", f"adapter {adapter} and task {task}"))
        prepared = prepare_evaluation(request)
        for line in prepared.notes:
            notes.print(line)
        setup, (cell,) = prepared.experiment.setup, prepared.experiment.cells
        (record,) = carry_out(prepared.experiment, LocalEngine(progress))
    if not record.complete:
        raise MethodError(f"{setup.label} could not be scored: {record.reason}; --rerun tries again")
    if name is not None:
        setup.store.labels.write(cell.configuration, name)
        record = replace(record, given_label=name)
    if is_below_chance(setup.store.predictions(record)):
        _say("below always the most frequent class; if that is a surprise, check the order of the classes (--labels)")
    options = Options(bootstrap=as_json, targets=dict(record.groups))
    board = board_of([record], setup.store, options)
    show([board], "json" if as_json else "table", None, {"records": [record.as_json()]})
    _say(f"Record {setup.store.folder_of(record.cell.fingerprint)}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
