"""The command line: parse, call, render. No logic of its own; heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.errors import ConfigError, XltBenchError

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.api import Experiment, Request
    from xlt_bench.leaderboard.board import Block
    from xlt_bench.records import Record
    from xlt_bench.store import Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
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
    pack: Annotated[int, typer.Option(help="Seeds trained in one pass over the backbone.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Fit a method on source languages, predict the targets, and show accuracies with intervals."""
    with reported():
        from xlt_bench.api import Request
        from xlt_bench.hyperparameters import parse_settings
        from xlt_bench.plan import parse_seeds

        _check_level(level)
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
            preset=preset,
            device=device,
            precision=precision.value,
            store=store,
            save_weights=save_weights,
            rerun=rerun.value if rerun else None,
        )
        _run(request, pack, interval, level, as_json)


def _run(request: Request, pack: int, interval: IntervalKind, level: float, as_json: bool) -> None:
    from rich.console import Console

    from xlt_bench.api import carry_out, prepare
    from xlt_bench.listing import announcement
    from xlt_bench.progress import LiveProgress

    notes = Console(stderr=True, highlight=False)
    experiment = prepare(request)
    notes.print(announcement(experiment, request), soft_wrap=True)
    try:
        with LiveProgress(notes, experiment.job.label, len(experiment.missing)) as progress:
            records = carry_out(experiment, progress, pack)
    except KeyboardInterrupt:
        kept = sum(experiment.job.store.find(cell.fingerprint) is not None for cell in experiment.cells)
        notes.print(
            f"\nstopped; {kept} of {len(experiment.cells)} runs are in {experiment.job.store.folder} and whole. "
            "The same command goes on with the rest."
        )
        raise typer.Exit(130) from None
    _show(records, experiment, notes, interval, level, as_json)


def _show(
    records: list[Record], experiment: Experiment, notes: Console, interval: IntervalKind, level: float, as_json: bool
) -> None:
    from xlt_bench.leaderboard.board import with_floors

    store = experiment.job.store
    shown = with_floors(records, _records(store))
    _print_blocks(_blocks(shown, store, interval, level), level, as_json, records)
    failed = [record for record in records if not record.complete]
    for record in failed:
        notes.print(f"seed {record.cell.seed} failed: {record.error}", style="red", markup=False)
    notes.print(f"Records: {store.folder} ({len(records)} of this run); all of them: xlt-bench leaderboard")
    if failed:
        notes.print("Failed runs are kept as failed; --rerun failed tries them again.")
        raise typer.Exit(1)


@app.command()
def leaderboard(
    store: StoreOption = STORE,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Rank what is in the store, by target group, with intervals."""
    with reported():
        from xlt_bench.store import Store

        _check_level(level)
        results = Store(store)
        records = _records(results)
        chosen = [record for record in records if task is None or record.cell.task == task]
        if not chosen:
            raise ConfigError(
                f"no Records of {'any task' if task is None else task} in {store}; make some: xlt-bench run"
            )
        _print_blocks(_blocks(chosen, results, interval, level), level, as_json, None)


@app.command("ls")
def list_(
    what: Annotated[Listed, typer.Argument(help="methods, tasks, groups or records.")],
    task: Annotated[str, typer.Option(help="For groups: the task.")] = "cldr",
    backbone: Annotated[str | None, typer.Option(help="For groups: the backbone. [default: the task's]")] = None,
    store: StoreOption = STORE,
) -> None:
    """List methods, tasks, language groups or stored Records."""
    with reported():
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
    """The store's Records; what cannot be read is named and skipped."""
    records, damaged = store.records()
    for folder in damaged:
        print(f"skipped {folder.folder}: {folder.reason}", file=sys.stderr)
    return records


def _blocks(records: list[Record], store: Store, interval: IntervalKind, level: float) -> list[Block]:
    from xlt_bench.leaderboard.board import build

    return build(records, store.predictions, method=interval.value, level=level)


def _print_blocks(blocks: list[Block], level: float, as_json: bool, records: list[Record] | None) -> None:
    from rich.console import Console

    from xlt_bench.leaderboard import render

    if as_json:
        plain = {"blocks": render.as_json(blocks)}
        if records is not None:
            plain["records"] = [record.as_json() for record in records]
        print(json.dumps(plain, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(render.tables(blocks, level))


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ConfigError(f"--level must lie between 0 and 1, such as 0.95, not {level}")


@contextmanager
def reported() -> Iterator[None]:
    """Print an expected error as one line, without a traceback, and leave with exit code 2."""
    try:
        yield
    except XltBenchError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def main() -> None:
    """Entry point of the `xlt-bench` command."""
    app()
