"""One configuration on one target group: its mean, its intervals, and what is behind them. No comparison yet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xlt_bench.leaderboard.board.measuring import GroupMeasurement
from xlt_bench.leaderboard.board.model import Bounds, Inference, RowScore
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.reducing import Reduced, Reductions
from xlt_bench.metrics.base import Values
from xlt_bench.stats import IntervalMethod, compare, interval
from xlt_bench.stats.intervals import joined, seed_note

POINT = "point value: no interval, no test"
_ROUNDING = 1e-12


def score_of(
    row: GroupMeasurement,
    reductions: Reductions,
    chance: Mapping[str, float],
    bootstrap: Bounds | None,
    options: Options,
) -> RowScore:
    """The score without rank, letters and comparison, which need the other rows.

    Args:
        chance: the majority class's score by language.
        bootstrap: its interval, where the board has such.
    """
    x = None if row.reduced is None else row.reduced.x
    stored = row.entry.is_stored
    bounds: dict[IntervalMethod, Bounds | None] = {
        "two-way": None if x is None else _interval(x, "two-way", options.level, stored),
        "bootstrap": bootstrap,
        "seeds": _interval(x, "seeds", options.level, stored)
        if x is not None and options.interval == "seeds"
        else None,
    }
    return RowScore(
        value=row.value,
        two_way=bounds["two-way"],
        bootstrap=bootstrap,
        seeds_only=bounds["seeds"],
        inference=_inference(row),
        seeds=len(x) if x is not None else row.entry.first.runs or 0,
        languages=len(row.languages),
        items=row.reduced.items if row.reduced else 0,
        clusters=x.shape[1] if x is not None else 0,
        missing=row.missing,
        by_seed=() if x is None else tuple(x.mean(axis=1).tolist()),
        outliers=(),
        ranked_value=None,
        rank=None,
        letters="",
        at_chance=_at_chance(row, reductions, chance, options.level),
        note=POINT if row.reduced is None else _note(row.reduced, stored, bounds, options),
    )


def _inference(row: GroupMeasurement) -> Inference:
    if row.reduced is None:
        return "none"
    if row.entry.is_stored:
        return "these answers"
    return "one run" if len(row.reduced.x) == 1 else "runs"


def _at_chance(row: GroupMeasurement, reductions: Reductions, chance: Mapping[str, float], level: float) -> bool:
    """Whether a paired test on the same items does not show the row above the majority class; of one run, this run."""
    if row.reduced is None or row.entry.answers is None or not row.reduced.testable:
        known = all(code in chance for code in row.languages)
        return known and row.value <= float(np.mean([chance[code] for code in row.languages])) + _ROUNDING
    majority = reductions.majority(row.entry.answers.items, row.languages).x
    fixed = len(row.reduced.x) == 1
    test = compare(row.reduced.x, majority, "two-way", level, deterministic=(fixed, True))
    return test.verdict not in ("better", None) or test.difference <= _ROUNDING


def _note(score: Reduced, stored: bool, bounds: Mapping[IntervalMethod, Bounds | None], options: Options) -> str | None:
    """What to say about the shown interval, and about the bootstrap's where it is there too."""
    seeds, clusters = score.x.shape
    shown = bounds[options.interval]
    notes = [seed_note(options.interval, seeds, stored)]
    notes.append(seed_note("bootstrap", seeds, stored) if bounds["bootstrap"] else None)
    if shown is None and clusters < 2:
        notes.append("one item: no interval" if score.items < 2 else "all items are one cluster: no interval")
    if shown is not None and shown.low == shown.high:
        notes.append("no variance")
    return joined(list(dict.fromkeys(notes)))


def _interval(x: Values, method: IntervalMethod, level: float, stored: bool) -> Bounds | None:
    """None where the method has nothing to go by: one seed if seeds alone are random, else one cluster."""
    seeds, clusters = x.shape
    if (seeds if method == "seeds" else clusters) < 2:
        return None
    result = interval(x, method, level, deterministic=stored)
    return Bounds(result.low, result.high)
