"""Accuracy against what it costs: parameters, seconds and memory, and what nothing beats."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from xlt_bench.leaderboard.render.words import NOTHING
from xlt_bench.leaderboard.study.axes import with_sources
from xlt_bench.leaderboard.study.lines import Results, StudyLine
from xlt_bench.leaderboard.study.tables import group_title, score_text, table

_MIB = 2**20

COSTS: Mapping[str, str] = {
    "parameters": "trained parameters",
    "seconds": "seconds of a run",
    "memory": "memory in MiB",
}
"""What a cost report weighs, and how an axis says it."""


def cost_table(results: Results) -> str:
    """Accuracy against trained parameters, seconds and memory, and in which of them no other line does better."""
    rows = []
    for line in costed(results):
        seconds, predicting, memory = costs(line)
        scores = [score_text(line.row.scores.get(group)) for group in results.groups]
        efficient = [cost for cost in COSTS if is_efficient(line, results, cost)]
        rows.append([
            with_sources(line),
            *scores,
            f"{line.row.trainable_parameters or 0:,}",
            f"{seconds:.1f}",
            f"{predicting:.1f}",
            f"{memory / _MIB:,.0f}",
            ", ".join(efficient) or NOTHING,
        ])  # fmt: skip
    groups = [group_title(group, codes) for group, codes in results.groups.items()]
    header = ["Method", *groups, "Trained parameters", "Fit, s", "Predict, s", "Memory, MiB", "Efficient in"]
    return table(header, rows)


def costed(results: Results) -> list[StudyLine]:
    """The lines with a run that is complete."""
    return [line for line in results.lines if any(record.complete for record in line.entry.records)]


def is_efficient(line: StudyLine, results: Results, cost: str) -> bool:
    """Whether no other line is at least as accurate for as little of this cost, and better in one (`cost_group`)."""
    group = cost_group(results)
    score = line.row.scores.get(group)
    if score is None:
        return False
    standing = (score.value, -cost_of(line, cost))
    rivals = [
        (rival_score.value, -cost_of(rival, cost))
        for rival in costed(results)
        if (rival_score := rival.row.scores.get(group)) is not None
    ]
    return not any(rival != standing and min(a >= b for a, b in zip(rival, standing, strict=True)) for rival in rivals)


def cost_group(results: Results) -> str:
    """The target group that a cost report weighs."""
    return max(results.groups, key=lambda group: sum(group in line.row.scores for line in results.lines))


def costs(line: StudyLine) -> tuple[float, float, int]:
    """Medians over runs: seconds of a fit, seconds of predicting all targets, most memory in bytes."""
    runs = [record for record in line.entry.records if record.complete]
    fit, predict = (
        statistics.median(record.timing.get(name, 0.0) for record in runs)
        for name in ("fit_seconds", "predict_seconds")
    )
    return fit, predict, round(statistics.median(record.peak_memory_bytes or 0 for record in runs))


def cost_of(line: StudyLine, cost: str) -> float:
    """One of COSTS."""
    fit, predict, memory = costs(line)
    if cost == "parameters":
        return float(line.row.trainable_parameters or 0)
    return fit + predict if cost == "seconds" else memory / _MIB
