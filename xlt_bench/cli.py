"""The command line: parse, call, render. No logic of its own; heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.errors import ConfigError, XltBenchError

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.api import Experiment, Request
    from xlt_bench.leaderboard.board import Block
    from xlt_bench.records import Predictions, Record
    from xlt_bench.store import Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich doubles the time of --help
    help="Which way of tuning transfers best across languages, and is the difference real?",
)

STORE = Path("xlt-results")


class Precision(StrEnum):
    """Choices of --precision."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class IntervalKind(StrEnum):
    """Choices of --interval."""

    TWO_WAY = "two-way"
    BOOTSTRAP = "bootstrap"
    SEEDS = "seeds"


class Rerun(StrEnum):
    """Choices of --rerun."""

    FAILED = "failed"
    ALL = "all"


class Listed(StrEnum):
    """What `ls` lists."""

    METHODS = "methods"
    TASKS = "tasks"
    GROUPS = "groups"
    RECORDS = "records"


IntervalOption = Annotated[
    IntervalKind,
    typer.Option("--interval", help="What is random: seeds and items (two-way, bootstrap), or seeds alone."),
]
LevelOption = Annotated[float, typer.Option(help="Nominal coverage of the intervals.")]
StoreOption = Annotated[Path, typer.Option(help="Folder of Records.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]


@app.command()
def run(
    method: Annotated[
        str, typer.Option("--method", "-m", help="A name of `ls methods`, or path/to/file.py:Class.")
    ] = "xpe",
    task: Annotated[str, typer.Option(help="cldr (embedded) or sib200.")] = "cldr",
    data_dir: Annotated[Path | None, typer.Option(help="Folder with the task's files (sib200).")] = None,
    sources: Annotated[
        str, typer.Option(help="Groups and codes: seen, joshi5+kat_Geor, seen-joshi5; or none.")
    ] = "seen",
    targets: Annotated[
        str | None, typer.Option(help="Groups and codes, or `sources`. [default: all groups without sources]")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option(help="nano, a local folder, or a hub id. [default: the task's]")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="3 means 0,1,2; 4,7 means those. [default: the task's]")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps on the sources. [default: the preset's]")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Hyper-parameter as name=value; may be repeated.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="paper, released or cldr. [default: the task's]")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N. [default: cuda where there is one]")] = None,
    precision: Annotated[Precision, typer.Option(help="auto is fp32 on a CPU and bf16 on a GPU.")] = Precision.AUTO,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    store: StoreOption = STORE,
    save_weights: Annotated[
        bool, typer.Option("--save-weights", help="Keep trained weights beside the predictions.")
    ] = False,
    rerun: Annotated[Rerun | None, typer.Option(help="Run failed cells again, or all of them.")] = None,
    pack: Annotated[int, typer.Option(min=1, help="Seeds trained in one pass over the backbone.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Fit a method on source languages, predict the targets, and show accuracies with intervals."""
    from xlt_bench.api import Request
    from xlt_bench.hyperparameters import parse_settings
    from xlt_bench.plan import parse_seeds

    _check_level(level)
    _run(
        Request(
            method=method,
            task=task,
            data_dir=data_dir,
            sources=sources,
            targets=targets,
            backbone=backbone,
            seeds=parse_seeds(seeds) if seeds is not None else None,
            steps=steps,
            settings=parse_settings(settings or []),
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


def _run(request: Request, pack: int, interval: IntervalKind, level: float, as_json: bool) -> None:
    from rich.console import Console

    from xlt_bench.api import carry_out, prepare
    from xlt_bench.listing import announcement
    from xlt_bench.progress import LiveProgress
    from xlt_bench.records import Record

    notes = Console(stderr=True, highlight=False, markup=False)
    notes.soft_wrap = not notes.is_terminal  # wrapped at words on a terminal, one line a fact elsewhere
    try:
        experiment = prepare(request)
    except KeyboardInterrupt:
        notes.print("stopped before anything was run")
        raise typer.Exit(130) from None
    notes.print(announcement(experiment, request))
    try:
        # what a method prints must not end up among the results
        live = LiveProgress(notes, experiment.job.label, len(experiment.missing), pack)
        with live as progress, redirect_stdout(sys.stderr):
            records = carry_out(experiment, progress, pack)
    except KeyboardInterrupt:
        store = experiment.job.store
        kept = sum(isinstance(store.find(cell.fingerprint), Record) for cell in experiment.cells)
        notes.print(
            f"stopped; {kept} of {len(experiment.cells)} runs are in {store.folder} and whole; "
            "the same command goes on with the rest"
        )
        raise typer.Exit(130) from None
    _show(records, experiment, notes, interval, level, as_json)


def _show(
    records: list[Record], experiment: Experiment, notes: Console, interval: IntervalKind, level: float, as_json: bool
) -> None:
    from xlt_bench.leaderboard.board import with_floors
    from xlt_bench.listing import first_line

    store = experiment.job.store
    shown = with_floors(records, _records(store))
    _print_blocks(_blocks(shown, store, interval, level), level, as_json, records)
    failed = [record for record in records if not record.complete]
    for record in failed:
        target = "" if record.cell.sources else f", {record.cell.targets[0]}"
        where = store.folder_of(record.cell.fingerprint) / "record.json"
        notes.print(f"seed {record.cell.seed}{target} failed: {first_line(record)} (more in {where})", style="red")
    notes.print(f"Records: {store.folder} ({len(records)} of this run); all of them: {_board_command(store)}")
    if failed:
        notes.print("Failed runs are kept as failed; --rerun failed tries them again.")
        raise typer.Exit(1)


def _board_command(store: Store) -> str:
    return "xlt-bench leaderboard" + ("" if store.folder == STORE else f" --store {shlex.quote(str(store.folder))}")


@app.command()
def leaderboard(
    store: StoreOption = STORE,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Rank what is in the store, by target group, with intervals."""
    from xlt_bench.store import Store

    _check_level(level)
    results = Store(store)
    records = _records(results)
    chosen = [record for record in records if task is None or record.cell.task == task]
    if not chosen:
        what = "no Records" if task is None else f"no Records of task {task}"
        raise ConfigError(f"{what} in {store}; make some: xlt-bench run")
    _print_blocks(_blocks(chosen, results, interval, level), level, as_json, None)


@app.command("ls")
def list_(
    what: Annotated[Listed, typer.Argument(help="methods, tasks, groups or records.")],
    task: Annotated[str, typer.Option(help="For groups: the task.")] = "cldr",
    backbone: Annotated[str | None, typer.Option(help="For groups: the backbone. [default: the task's]")] = None,
    store: StoreOption = STORE,
) -> None:
    """List methods, tasks, language groups or stored Records."""
    from rich.console import Console

    from xlt_bench import listing

    console = Console(highlight=False)
    if what is Listed.RECORDS:
        from xlt_bench.store import Store

        console.print(listing.records(_records(Store(store))))
    elif what is Listed.GROUPS:
        console.print(listing.groups(task, backbone))
    else:
        console.print(listing.methods() if what is Listed.METHODS else listing.tasks())


def _records(store: Store) -> list[Record]:
    """The store's Records; what cannot be read is named, counted and skipped."""
    records, damaged = store.records()
    for found in damaged:
        print(f"skipped {found.folder}: {found.reason}", file=sys.stderr)
    if damaged:
        print(f"{len(damaged)} of {len(records) + len(damaged)} Records skipped", file=sys.stderr)
    return records


def _blocks(records: list[Record], store: Store, interval: IntervalKind, level: float) -> list[Block]:
    from xlt_bench.errors import StoreError
    from xlt_bench.leaderboard.board import build

    def load(record: Record) -> Predictions | None:
        try:
            return store.predictions(record)
        except StoreError as error:
            print(f"skipped: {error}", file=sys.stderr)
            return None

    return build(records, load, method=interval.value, level=level)


def _print_blocks(blocks: list[Block], level: float, as_json: bool, records: list[Record] | None) -> None:
    from rich.console import Console

    from xlt_bench.leaderboard import render

    if as_json:
        plain = {"blocks": render.as_json(blocks)}
        if records is not None:
            plain["records"] = [record.as_json() for record in records]
        print(json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(render.tables(blocks, level))


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ConfigError(f"--level must lie between 0 and 1, such as 0.95, not {level}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `xlt-bench` command; returns its exit code.

    An expected error is one line on standard error, without a traceback, and exit code 2; Ctrl-C is exit code 130.
    """
    try:
        code = app(None if arguments is None else list(arguments), prog_name="xlt-bench", standalone_mode=False)
        return int(code or 0)
    except XltBenchError as error:
        return _say(f"error: {error}", 2)
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", 130)
    except Exception as error:
        # faults in how the command was written come from the command-line library, under a name that it has moved about
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        return _say(f"error: {error.format_message().rstrip('.')}; see: xlt-bench --help", 2)


def _say(text: str, code: int) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return code
