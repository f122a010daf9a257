"""`xlt-bench leaderboard`, `compare`, `rescore` and `import-baseline`: what is in the store, and what joins it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import (
    STORE,
    FamilyKind,
    FamilyOption,
    IntervalKind,
    IntervalOption,
    JsonOption,
    LanguagesKind,
    LanguagesOption,
    LevelOption,
    MetricKind,
    MetricOption,
    StoreOption,
    TaskFilter,
    check_languages,
    check_level,
)
from xlt_bench.cli.printing import readable_records, show_plain


class Form(StrEnum):
    """Choices of --format."""

    TABLE = "table"
    MD = "md"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


def leaderboard(
    store: StoreOption = STORE,
    task: TaskFilter = None,
    backbone: Annotated[str | None, typer.Option(help="Only this one: its name, or first digits of its hash.")] = None,
    sources: Annotated[str | None, typer.Option(help="Only these sources, as for `run`.")] = None,
    targets: Annotated[str | None, typer.Option(help="Groups to show as columns, as for `run`.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare every row with this one: label, label:sources, or first digits.")
    ] = None,
    metric: MetricOption = MetricKind.ACCURACY,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    family: FamilyOption = FamilyKind.GROUP,
    languages: LanguagesOption = LanguagesKind.FIXED,
    form: Annotated[Form | None, typer.Option("--format", help="[default: as FILE ends, else table]")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.")] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also draw figures here (PNG, SVG, PDF; needs matplotlib).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank what is in the store beside stored baselines, by target group, with intervals, ties and tests."""
    from xlt_bench.leaderboard.board.boards import boards_of
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.leaderboard.render.output import format_of, only, show
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    check_level(level)
    check_languages(languages, interval)
    chosen = "json" if as_json else format_of(form and form.value, output)
    full = chosen in ("json", "html") or figures is not None
    options = Options(
        interval="bootstrap" if languages == LanguagesKind.RANDOM else interval.value,
        level=level,
        bootstrap=full,
        reference=reference,
        metric=metric_named(metric.value),
        family=family.value,
        random_languages=languages == LanguagesKind.RANDOM,
    )
    boards = boards_of(Store(store), Filter(task, backbone, sources, targets), options)
    show(boards, chosen, output)
    if not any(row.seeds and not row.source for board in boards for section in board.sections for row in section.rows):
        print(f"all of these are stored results, none a run in {store}; make some: xlt-bench run", file=sys.stderr)
    if figures is not None:
        from xlt_bench.leaderboard.render.figures import save_figures

        paths = save_figures(only(boards, "figures are"), figures)
        print(f"{len(paths)} figures in {figures}", file=sys.stderr)


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A row: label, label:sources, or first digits.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another row.")],
    store: StoreOption = STORE,
    task: TaskFilter = None,
    targets: Annotated[str | None, typer.Option(help="Groups to compare on, as for `run`.")] = None,
    metric: MetricOption = MetricKind.ACCURACY,
    interval: IntervalOption = IntervalKind.TWO_WAY,
    level: LevelOption = 0.95,
    family: FamilyOption = FamilyKind.TABLE,
    languages: LanguagesOption = LanguagesKind.FIXED,
    paired_seeds: Annotated[
        bool, typer.Option("--paired-seeds", help="Seed k of A and seed k of B belong together.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two rows: difference by group with interval and test, wins by language, what could have been shown."""
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.compare.comparison import compare_in
    from xlt_bench.leaderboard.compare.options import ComparisonOptions
    from xlt_bench.leaderboard.compare.view import ReportView, as_data
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    check_level(level)
    check_languages(languages, interval)
    options = ComparisonOptions(
        method="bootstrap" if languages == LanguagesKind.RANDOM else interval.value,
        level=level,
        paired_seeds=paired_seeds,
        metric=metric_named(metric.value),
        family=family.value,
        random_languages=languages == LanguagesKind.RANDOM,
    )
    report = compare_in(Store(store), Filter(task), a, b, targets, options)
    show_plain(as_data(report) if as_json else ReportView(report))


def rescore(
    store: StoreOption = STORE,
    task: TaskFilter = None,
    metric: Annotated[MetricKind | None, typer.Option(help="Show this one alone. [default: all]")] = None,
    level: LevelOption = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Compute accuracy and macro-F1 of stored Records again from their predictions, and store them; runs no model."""
    from xlt_bench.leaderboard.render.output import say_skipped
    from xlt_bench.leaderboard.render.plain_data import plain
    from xlt_bench.leaderboard.rescore.rescoring import rescored
    from xlt_bench.leaderboard.rescore.summary import summary, summary_table
    from xlt_bench.metrics import METRICS
    from xlt_bench.records.store import Store

    check_level(level)
    results, skipped = Store(store), list[str]()
    records = [record for record in readable_records(results) if task is None or record.cell.task == task]
    again = list(rescored(records, results.sheet, skipped))
    for outcome in again:
        if outcome.changed:
            results.update(outcome.record)
        if outcome.differing:
            codes = ", ".join(outcome.differing[:3]) + (" and more" if len(outcome.differing) > 3 else "")
            print(f"{outcome.record.cell.fingerprint}: stored accuracy was another in {codes}", file=sys.stderr)
    metrics = [METRICS[name] for name in METRICS if metric is None or name == metric.value]
    lines = summary(again, metrics, level)
    show_plain({"records": plain(lines), "skipped": skipped} if as_json else summary_table(lines, metrics))
    say_skipped(skipped)
    changed = sum(outcome.changed for outcome in again)
    print(f"{len(again)} Records rescored; {changed} had a metric missing or other than this", file=sys.stderr)


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
    from xlt_bench.leaderboard.data.imported import import_answers
    from xlt_bench.records.store import Store

    for line in import_answers(Store(store), file, name=name, rule=rule, setting=setting):
        print(line)
