"""The command line: parse, call, render. No logic of its own; heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xlt_bench.errors import ConfigError, XltBenchError

if TYPE_CHECKING:
    from rich.console import Console

    from xlt_bench.api import Experiment, Request
    from xlt_bench.records import Record
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


class ProtocolName(StrEnum):
    """Choices of --protocol."""

    ZERO_SHOT = "zero-shot"
    FULL = "full"


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
    BASELINES = "baselines"


class Form(StrEnum):
    """Choices of --format."""

    TABLE = "table"
    MD = "md"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


IntervalOption = Annotated[
    IntervalKind,
    typer.Option("--interval", help="What is random: seeds and items (two-way, bootstrap), or seeds alone."),
]
LevelOption = Annotated[float, typer.Option(help="Nominal coverage of the intervals.")]
TaskFilter = Annotated[str | None, typer.Option(help="Only this task; name@digits tells versions of its data apart.")]
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
    from xlt_bench.plan import parse_seeds, parse_shots

    _check_level(level)
    _run(
        Request(
            method=method,
            task=task,
            data_dir=data_dir,
            sources=sources,
            targets=targets,
            protocol=protocol and protocol.value,
            examples=examples,
            shots=(None,) if shots is None else parse_shots(shots),
            backbone=backbone,
            seeds=parse_seeds(seeds) if seeds is not None else None,
            steps=steps,
            target_steps=target_steps,
            settings=parse_settings(settings or []),
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
        live = LiveProgress(notes, experiment.job.label, experiment.fits, pack)
        with live as progress, redirect_stdout(sys.stderr):
            records = carry_out(experiment, progress, pack, waiting=partial(_say_waiting, notes))
    except KeyboardInterrupt:
        store = experiment.job.store
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
    from xlt_bench.leaderboard.boards import board_of, with_floors
    from xlt_bench.leaderboard.output import show
    from xlt_bench.leaderboard.scoring import Options
    from xlt_bench.listing import first_line

    store = experiment.job.store
    options = Options(interval=interval.value, level=level, bootstrap=as_json, targets=experiment.job.groups)
    board = board_of(with_floors(records, _records(store)), store, options)
    show([board], "json" if as_json else "table", None, {"records": [record.as_json() for record in records]})
    failed = [record for record in records if not record.complete]
    for record in failed:
        target = f", {record.cell.targets[0]}" if record.cell.protocol == "full" else ""
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
    task: TaskFilter = None,
    backbone: Annotated[str | None, typer.Option(help="Only this one: its name, or first digits of its hash.")] = None,
    sources: Annotated[str | None, typer.Option(help="Only these sources, as for `run`.")] = None,
    targets: Annotated[str | None, typer.Option(help="Groups to show as columns, as for `run`.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare every row with this one: label, label:sources, or first digits.")
    ] = None,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    form: Annotated[Form | None, typer.Option("--format", help="[default: as FILE ends, else table]")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.")] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also draw figures here (PNG, SVG, PDF; needs matplotlib).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank what is in the store beside stored baselines, by target group, with intervals, ties and tests."""
    from xlt_bench.leaderboard.boards import Filter, boards_of
    from xlt_bench.leaderboard.output import format_of, only, show
    from xlt_bench.leaderboard.scoring import Options
    from xlt_bench.store import Store

    _check_level(level)
    chosen = "json" if as_json else format_of(form and form.value, output)
    full = chosen in ("json", "html") or figures is not None
    options = Options(interval=interval.value, level=level, bootstrap=full, reference=reference)
    boards = boards_of(Store(store), Filter(task, backbone, sources, targets), options)
    show(boards, chosen, output)
    if not any(row.seeds and not row.source for board in boards for section in board.sections for row in section.rows):
        print(f"all of these are stored results, none a run in {store}; make some: xlt-bench run", file=sys.stderr)
    if figures is not None:
        from xlt_bench.leaderboard.figures import save_figures

        paths = save_figures(only(boards, "figures are"), figures)
        print(f"{len(paths)} figures in {figures}", file=sys.stderr)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A row: label, label:sources, or first digits.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another row.")],
    store: StoreOption = STORE,
    task: TaskFilter = None,
    targets: Annotated[str | None, typer.Option(help="Groups to compare on, as for `run`.")] = None,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    paired_seeds: Annotated[
        bool, typer.Option("--paired-seeds", help="Seed k of A and seed k of B belong together.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two rows: difference by group with interval and test, wins by language, what could have been shown."""
    from xlt_bench.leaderboard.boards import Filter
    from xlt_bench.leaderboard.comparison import compare_in
    from xlt_bench.leaderboard.comparison_view import ReportView, as_data
    from xlt_bench.store import Store

    _check_level(level)
    report = compare_in(
        Store(store), Filter(task), a, b, targets, method=interval.value, level=level, paired_seeds=paired_seeds
    )
    _print(as_data(report) if as_json else ReportView(report))


@app.command()
def rescore(store: StoreOption = STORE, task: TaskFilter = None, as_json: JsonOption = False) -> None:
    """Compute accuracy and macro-F1 of stored Records again from their predictions, and store them; runs no model."""
    from xlt_bench.leaderboard import rescore as metrics
    from xlt_bench.leaderboard.output import say_skipped
    from xlt_bench.store import Store

    results, skipped = Store(store), list[str]()
    records = [record for record in _records(results) if task is None or record.cell.task == task]
    found = list(metrics.rescored(records, results.sheet, skipped))
    for one in found:
        if one.changed:
            results.update(one.record)
        if one.differing:
            told = ", ".join(one.differing[:3]) + (" and more" if len(one.differing) > 3 else "")
            print(f"{one.record.cell.fingerprint}: stored accuracy was another in {told}", file=sys.stderr)
    _print({"records": metrics.summary(found), "skipped": skipped} if as_json else metrics.table(found))
    say_skipped(skipped)
    changed = sum(one.changed for one in found)
    print(f"{len(found)} Records rescored; {changed} had a metric missing or other than this", file=sys.stderr)


@app.command("import-baseline")
def import_baseline(
    file: Annotated[Path, typer.Argument(help="Answers: .tsv or .csv, also .gz: language, index_id, gold, answer.")],
    name: Annotated[str, typer.Option(help="Of the system, as a table shows it.")],
    rule: Annotated[
        str, typer.Option(help="How an answer is read: first-mention, last-mention, only-mention, exact.")
    ] = "first-mention",
    setting: Annotated[str, typer.Option(help="How the system was used; rows are grouped by it.")] = "zero-shot prompt",
    store: StoreOption = STORE,
) -> None:
    """Store the answers of a language model to sib200's test items as a Record with evidence per item."""
    from xlt_bench.leaderboard.imported import import_answers
    from xlt_bench.store import Store

    for line in import_answers(Store(store), file, name=name, rule=rule, setting=setting):
        print(line)


@app.command("ls")
def list_(
    what: Annotated[Listed, typer.Argument(help="methods, tasks, groups, records or baselines.")],
    task: Annotated[str, typer.Option(help="For groups: the task.")] = "cldr",
    backbone: Annotated[str | None, typer.Option(help="For groups: the backbone. [default: the task's]")] = None,
    store: StoreOption = STORE,
) -> None:
    """List methods, tasks, language groups, stored Records or baselines."""
    from rich.console import Console

    from xlt_bench import listing

    console = Console(highlight=False)
    if what is Listed.RECORDS:
        from xlt_bench.store import Store

        console.print(listing.records(_records(Store(store))))
    elif what is Listed.BASELINES:
        from xlt_bench.leaderboard.baseline_list import listed
        from xlt_bench.store import Store

        console.print(listed(_records(Store(store))))
    elif what is Listed.GROUPS:
        console.print(listing.groups(task, backbone))
    else:
        console.print(listing.methods() if what is Listed.METHODS else listing.tasks())


def _records(store: Store) -> list[Record]:
    """The store's Records; what cannot be read is named, counted and skipped."""
    from xlt_bench.texts import clean

    records, damaged = store.records()
    for found in damaged:
        print(clean(f"skipped {found.folder}: {found.reason}"), file=sys.stderr)
    if damaged:
        print(f"{len(damaged)} of {len(records) + len(damaged)} Records skipped", file=sys.stderr)
    return records


def _print(shown: Any) -> None:
    """Plain data as JSON, anything else as rich prints it."""
    if isinstance(shown, dict):
        print(json.dumps(shown, indent=1, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    Console(highlight=False).print(shown)


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
        told = error.format_message().rstrip(".").replace("Value error, ", "")  # pydantic's prefix says nothing
        command = getattr(getattr(error, "ctx", None), "command_path", "xlt-bench")
        return _say(f"error: {told}; see: {command} --help", 2)


def _say(text: str, code: int) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return code


from xlt_bench.commands import adapters, plugins, study  # noqa: E402  (commands take their options from above)

app.command()(adapters.export)
app.command()(adapters.evaluate)
app.command()(study.study)
app.command()(plugins.check_method)
app.command()(plugins.new_method)
