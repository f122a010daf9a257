"""`xlt-bench rescore`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from xlt_bench.cli.options import (
    STORE,
    JsonOption,
    LevelOption,
    StoreOption,
    TaskFilter,
)
from xlt_bench.cli.printing import readable_records, show_plain
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shortened
from xlt_bench.runs.option_values import check_level


def rescore(
    store: StoreOption = STORE,
    task: TaskFilter = None,
    metric: Annotated[str | None, typer.Option(help="Show this one alone. [default: all]")] = None,
    level: LevelOption = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Compute accuracy and macro-F1 of stored Records again from their predictions, and store them; runs no model.

    Example: xlt-bench rescore --task sib200 --metric macro-f1
    """
    from xlt_bench.leaderboard.render.output import say_skipped
    from xlt_bench.leaderboard.render.plain_data import plain
    from xlt_bench.leaderboard.rescore.rescoring import rescored
    from xlt_bench.leaderboard.rescore.summary import summary, summary_table
    from xlt_bench.metrics import METRICS, metric_named
    from xlt_bench.records.store import Store

    check_level(level)
    metrics = list(METRICS.values()) if metric is None else [metric_named(metric)]
    results, skipped = Store(store), list[str]()
    records = [record for record in readable_records(results) if task is None or record.cell.task == task]
    if not records:
        chosen = f" of task {shortened(task)}" if task is not None else ""
        raise ConfigError(f"nothing to rescore: no Record{chosen} in {store}; what there is: xlt-bench ls records")
    outcomes = list(rescored(records, results.sheet, skipped))
    for outcome in outcomes:
        if outcome.changed:
            results.update(outcome.record)
        if outcome.differing:
            codes = ", ".join(outcome.differing[:3]) + (" and more" if len(outcome.differing) > 3 else "")
            print(f"{outcome.record.cell.fingerprint}: stored accuracy was another in {codes}", file=sys.stderr)
    lines = summary(outcomes, metrics, level)
    show_plain({"records": plain(lines), "skipped": skipped} if as_json else summary_table(lines, metrics))
    say_skipped(skipped)
    changed = sum(outcome.changed for outcome in outcomes)
    print(f"{len(outcomes)} Records rescored; {changed} had a metric missing or other than this", file=sys.stderr)
