"""`xlt-bench compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from xlt_bench.cli.options import (
    STORE,
    FamilyOption,
    IntervalOption,
    JsonOption,
    LanguagesOption,
    LevelOption,
    MetricOption,
    StoreOption,
    TaskFilter,
    check_languages,
)
from xlt_bench.cli.printing import show_plain
from xlt_bench.runs.option_values import check_level


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A row: label, label:sources, or first digits.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another row.")],
    store: StoreOption = STORE,
    task: TaskFilter = None,
    targets: Annotated[str | None, typer.Option(help="Groups to compare on, as for `run`.")] = None,
    metric: MetricOption = None,
    interval: IntervalOption = "two-way",
    level: LevelOption = 0.95,
    family: FamilyOption = "table",
    languages: LanguagesOption = "fixed",
    paired_seeds: Annotated[
        bool, typer.Option("--paired-seeds", help="Seed k of A and seed k of B belong together.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two rows: difference by group with interval and test, wins by language, what could have been shown.

    Example: xlt-bench compare xpe spt --targets unseen
    """
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.compare.comparison import compare_in
    from xlt_bench.leaderboard.compare.options import ComparisonOptions
    from xlt_bench.leaderboard.compare.view import ReportView, as_data
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    check_level(level)
    check_languages(languages, interval)
    options = ComparisonOptions(
        method="bootstrap" if languages == "random" else interval,
        level=level,
        paired_seeds=paired_seeds,
        metric=None if metric is None else metric_named(metric),
        family=family,
        random_languages=languages == "random",
    )
    report = compare_in(Store(store), Filter(task), first, second, targets, options)
    show_plain(as_data(report) if as_json else ReportView(report))
