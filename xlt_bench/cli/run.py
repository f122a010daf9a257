"""`xlt-bench run`."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.options import (
    STORE,
    GroupsOption,
    IntervalKind,
    IntervalOption,
    JsonOption,
    LevelOption,
    PackOption,
    Precision,
    ProtocolName,
    ReadOutName,
    Rerun,
    SeenOption,
    StoreOption,
    check_level,
)
from xlt_bench.cli.printing import readable_records

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.records.record import Record
    from xlt_bench.records.store import Store
    from xlt_bench.runs.experiment import Experiment
    from xlt_bench.runs.request import Request


def run(
    method: Annotated[
        str, typer.Option("--method", "-m", help="A name of `ls methods`, or path/to/file.py:Class.")
    ] = "xpe",
    task: Annotated[str, typer.Option(help="A name of `ls tasks`, or path/to/task.toml.")] = "cldr",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the task's files (sib200).")] = None,
    sources: Annotated[
        str, typer.Option(help="Groups and codes: seen, joshi5+kat_Geor, seen-joshi5; or none.")
    ] = "seen",
    targets: Annotated[
        str | None, typer.Option(help="Groups and codes, or `sources`. [default: all groups without sources]")
    ] = None,
    groups: GroupsOption = None,
    seen: SeenOption = None,
    protocol: Annotated[
        ProtocolName | None,
        typer.Option(help="full adapts the fit to each target on its train split. [default: zero-shot]"),
    ] = None,
    shots: Annotated[
        str | None, typer.Option(help="Labelled target examples in the full protocol, such as 0,8,32,all.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option(help="Labelled source examples, all languages together. [default: all]")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="nano, a local folder, or a hub id. [default: the task's]")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="3 means 0,1,2; 4,7 means those. [default: the task's]")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps on the sources. [default: the preset's]")] = None,
    target_steps: Annotated[
        int | None, typer.Option(help="Optimiser steps of adapting to a target. [default: the preset's]")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Hyper-parameter as name=value; may be repeated.")
    ] = None,
    init_from: Annotated[
        str | None, typer.Option(help="Start a soft prompt from this adapter (folder, hub id) or Record.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="paper, released or cldr. [default: the task's]")] = None,
    rate_factors: Annotated[
        str | None, typer.Option(help="Factors on the preset's learning rates, of the head last, such as 2,0.5.")
    ] = None,
    read_out: Annotated[
        ReadOutName | None,
        typer.Option(help="State that the head reads. [default: first; of a decoder last, of T5 mean]"),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens of a text that are kept. [default: the task's, else the preset's]")
    ] = None,
    text_prefix: Annotated[str, typer.Option(help="Put before every text, such as 'query: '.")] = "",
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N. [default: cuda where there is one]")] = None,
    precision: Annotated[Precision, typer.Option(help="auto is fp32 on a CPU and bf16 on a GPU.")] = Precision.AUTO,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    store: StoreOption = STORE,
    save_weights: Annotated[
        bool, typer.Option("--save-weights", help="Keep trained weights beside the predictions.")
    ] = False,
    rerun: Annotated[Rerun | None, typer.Option(help="Run failed cells again, or all of them.")] = None,
    pack: PackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a method on source languages, predict the targets, and show accuracies with intervals."""
    from xlt_bench.plugins.hyperparameters import parse_settings
    from xlt_bench.runs.option_values import parse_factors
    from xlt_bench.runs.plan import parse_seeds, parse_shots
    from xlt_bench.runs.request import Request

    check_level(level)
    run_request(
        Request(
            method=method,
            task=task,
            data_dir=data_dir,
            sources=sources,
            targets=targets,
            protocol=None if protocol is None else protocol.value,
            examples=examples,
            shots=(None,) if shots is None else parse_shots(shots),
            backbone=backbone,
            seeds=parse_seeds(seeds) if seeds is not None else None,
            steps=steps,
            target_steps=target_steps,
            settings=parse_settings(settings or []),
            rate_factors=(1.0, 1.0) if rate_factors is None else parse_factors(rate_factors),
            read_out=None if read_out is None else read_out.value,
            text_prefix=text_prefix,
            max_length=max_length,
            groups_file=groups,
            seen=seen,
            init_from=init_from,
            preset=preset,
            device=device,
            precision=precision.value,
            store=store,
            save_weights=save_weights,
            rerun=rerun.value if rerun else None,
        ),
        pack,
        interval,
        level,
        as_json,
    )


def run_request(request: Request, pack: int | None, interval: IntervalKind, level: float, as_json: bool) -> None:
    """Carry out a request and show its board; what `run` does."""
    from rich.console import Console

    from xlt_bench.cli.listing import announcement
    from xlt_bench.cli.progress import LiveProgress
    from xlt_bench.engines import LocalEngine, carry_out
    from xlt_bench.engines.packs import pack_size
    from xlt_bench.records.record import Record
    from xlt_bench.runs.preparing import prepare
    from xlt_bench.runs.text_lengths import cut_texts

    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal  # wrapped at words on a terminal, one line a fact elsewhere
    try:
        experiment = prepare(request)
        experiment.check_store()
    except KeyboardInterrupt:
        notes.print("stopped before anything was run")
        raise typer.Exit(130) from None
    notes.print(announcement(experiment, request))
    for note in cut_texts(experiment):
        notes.print(f"note: {note}", soft_wrap=True)
    try:
        # what a method prints must not end up among the results
        live = LiveProgress(notes, experiment.setup.label, experiment.fits, pack_size(pack, experiment.setup.device))
        with live as progress, redirect_stdout(sys.stderr):
            records = carry_out(experiment, LocalEngine(progress, pack), partial(_say_waiting, notes))
    except KeyboardInterrupt:
        store = experiment.setup.store
        kept = sum(isinstance(store.find(cell.fingerprint), Record) for cell in experiment.cells)
        notes.print(
            f"stopped; {kept} of {len(experiment.cells)} runs are in {store.folder} and whole; "
            "the same command goes on with the rest"
        )
        raise typer.Exit(130) from None
    _show(records, experiment, notes, interval, level, as_json)


def _say_waiting(notes: Console, number: int) -> None:
    notes.print(f"another process works on the last {number} of these runs; waiting for them")


def _show(
    records: list[Record], experiment: Experiment, notes: Console, interval: IntervalKind, level: float, as_json: bool
) -> None:
    from xlt_bench.leaderboard.board.boards import board_of, with_floors
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.leaderboard.render.output import show

    store = experiment.setup.store
    options = Options(interval=interval.value, level=level, bootstrap=as_json, targets=experiment.setup.groups)
    board = board_of(with_floors(records, readable_records(store)), store, options)
    show([board], "json" if as_json else "table", None, {"records": [record.as_json() for record in records]})
    failed = [record for record in records if not record.complete]
    for record in failed:
        target = f", {record.cell.targets[0]}" if record.cell.learns_target else ""
        run = f"{record.label}, seed {record.cell.seed}{target}"
        where = store.folder_of(record.cell.fingerprint) / "record.json"
        notes.print(f"{run} failed: {record.reason} (more in {where})", style="red")
    notes.print(f"Records: {store.folder} ({len(records)} of this run); all of them: {_board_command(store)}")
    if failed:
        notes.print("Failed runs are kept as failed; --rerun failed tries them again.")
        raise typer.Exit(1)


def _board_command(store: Store) -> str:
    return "xlt-bench leaderboard" + ("" if store.folder == STORE else f" --store {shlex.quote(str(store.folder))}")
