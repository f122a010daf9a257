"""What `xlt-bench rescore` shows: a line for each configuration and target group, each metric with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.measuring import measure
from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.board.scoring import interval_of
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.gathering import gather
from xlt_bench.leaderboard.render.words import percent
from xlt_bench.leaderboard.rescore.rescoring import Rescored
from xlt_bench.metrics import Metric


@dataclass(frozen=True)
class MetricOfGroup:
    """One metric of a configuration on a target group, in [0, 1]; `bounds` None where there is one cluster."""

    metric: str
    value: float
    bounds: Bounds | None


@dataclass(frozen=True)
class SummaryLine:
    """One configuration on one target group."""

    configuration: str
    method: str
    sources: str
    group: str
    runs: int
    scores: tuple[MetricOfGroup, ...]


def summary(records: Sequence[Rescored], metrics: Sequence[Metric], level: float) -> list[SummaryLine]:
    """The lines of all tasks of these Records, with two-way intervals."""
    tasks: dict[str, list[Rescored]] = {}
    for rescored in records:
        tasks.setdefault(rescored.record.cell.task_hash, []).append(rescored)
    lines = []
    for of_task in tasks.values():
        sheets = {rescored.record.cell.fingerprint: rescored.sheet for rescored in of_task}
        rows = [rescored.record for rescored in of_task]
        entries = entries_of(rows, gather(rows, lambda record, sheets=sheets: sheets[record.cell.fingerprint]))  # type: ignore[misc]
        reductions = [Reductions(metric) for metric in metrics]
        for entry in entries:
            lines += _lines(entry, reductions, level)
    return lines


def _lines(entry: Entry, reductions: Sequence[Reductions], level: float) -> list[SummaryLine]:
    lines = []
    for group, codes in entry.groups().items():
        scores = [_score(entry, group, codes, reduction, level) for reduction in reductions]
        present = tuple(score for score in scores if score is not None)
        lines.append(SummaryLine(entry.key, entry.label, entry.sources, group, len(entry.seeds), present))
    return lines


def _score(
    entry: Entry, group: str, codes: tuple[str, ...], reductions: Reductions, level: float
) -> MetricOfGroup | None:
    row = measure(entry, group, codes, reductions)
    if row is None or row.reduced is None:
        return None
    result = interval_of(row.reduced.x, "two-way", level, entry.is_stored)
    bounds = None if result is None else Bounds(result.low, result.high)
    return MetricOfGroup(reductions.metric.name, row.value, bounds)


def summary_table(lines: Sequence[SummaryLine], metrics: Sequence[Metric]) -> Table:
    """The lines as a table, values in per cent."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for name in ("method", "sources", "group"):
        table.add_column(name, overflow="fold")
    for name in (*(metric.title for metric in metrics), "runs"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        values = {score.metric: _text(score) for score in line.scores}
        cells = [clean(line.method), clean(line.sources), clean(line.group)]
        table.add_row(*map(Text, [*cells, *(values.get(metric.name, "-") for metric in metrics), str(line.runs)]))
    return table


def _text(score: MetricOfGroup) -> str:
    if score.bounds is None:
        return percent(score.value)
    low, high = max(score.bounds.low, 0.0), min(score.bounds.high, 1.0)
    return f"{percent(score.value)} ({percent(low)}-{percent(high)})"
