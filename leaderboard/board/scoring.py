"""One configuration on one target group: its mean, its intervals, and what is behind them. No comparison yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from xlt_bench.leaderboard.board.measuring import GroupMeasurement
from xlt_bench.leaderboard.board.model import Bounds, Inference, RowScore
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.reducing import Reduced, Reductions
from xlt_bench.metrics.base import Values
from xlt_bench.stats import Interval, IntervalMethod, against_fixed, interval, outlier_seeds, verdict_of
from xlt_bench.stats.arrays import alpha_of
from xlt_bench.stats.intervals import joined, seed_note

POINT = "point value: no interval, no test"
_ROUNDING = 1e-12


def score_of(
    row: GroupMeasurement,
    is_at_chance: bool,
    bootstrap: Bounds | None,
    outliers: tuple[int, ...],
    options: Options,
) -> RowScore:
    """The score without rank, letters and comparison, which need the other rows.

    Args:
        is_at_chance: see `at_chance`.
        bootstrap: its interval, where the board has such.
        outliers: seeds whose value lies far from the others'.
    """
    x = None if row.reduced is None else row.reduced.x
    stored = row.entry.is_stored
    two_way = None if x is None else interval_of(x, "two-way", options.level, stored)
    by_seeds = interval_of(x, "seeds", options.level, stored) if x is not None and options.interval == "seeds" else None
    if bootstrap is not None and two_way is not None and bootstrap.high - bootstrap.low <= _ROUNDING:
        bootstrap = Bounds(two_way.low, two_way.high)  # where nothing varies, resampling shows nothing
    return RowScore(
        value=row.value,
        two_way=_bounds(two_way),
        bootstrap=bootstrap,
        seeds_only=_bounds(by_seeds),
        inference=_inference(row),
        seeds=len(x) if x is not None else row.entry.first.runs or 0,
        languages=len(row.languages),
        items=row.reduced.items if row.reduced else 0,
        clusters=x.shape[1] if x is not None else 0,
        missing=row.missing,
        by_seed=() if x is None else tuple(x.mean(axis=1).tolist()),
        outliers=outliers,
        ranked_value=None,
        rank=None,
        letters="",
        at_chance=is_at_chance,
        note=POINT if row.reduced is None else _note(row.reduced, stored, two_way, by_seeds, bootstrap, options),
    )


def interval_of(x: Values, method: IntervalMethod, level: float, stored: bool) -> Interval | None:
    """None where the method has nothing to go by: one seed if seeds alone are random, else one cluster."""
    seeds, clusters = x.shape
    if (seeds if method == "seeds" else clusters) < 2:
        return None
    limits = None if method == "seeds" else (0.0, 1.0)
    return interval(x, method, level, deterministic=stored, limits=limits)


def outliers_of(measured: Sequence[GroupMeasurement]) -> dict[str, tuple[int, ...]]:
    """By key of the entry, its seeds whose value lies far from the others'; rows tell each other what is usual."""
    rows = [(row.entry, row.reduced.x) for row in measured if row.reduced is not None]
    if not rows:
        return {}
    positions = outlier_seeds([x for _, x in rows])
    return {
        entry.key: tuple(entry.seeds[position] for position in far)
        for (entry, _), far in zip(rows, positions, strict=True)
    }


def at_chance(
    measured: Sequence[GroupMeasurement], reductions: Reductions, chance: Mapping[str, float], level: float
) -> set[str]:
    """Keys of entries that a paired test on the same items does not show above the majority class.

    Of one run, it is this run that is tested; where there is nothing to test, the values are compared.

    Args:
        chance: the majority class's score by language.
    """
    keys, testable = set[str](), dict[tuple[str, ...], list[tuple[str, Values]]]()
    for row in measured:
        if row.reduced is not None and row.reduced.testable:
            testable.setdefault(row.languages, []).append((row.entry.key, row.reduced.x))
            continue
        floor = [chance[code] for code in row.languages if code in chance]
        if len(floor) == len(row.languages) and row.value <= float(np.mean(floor)) + _ROUNDING:
            keys.add(row.entry.key)
    for languages, rows in testable.items():
        xs = [x for _, x in rows]
        items = next(row.entry.answers.items for row in measured if row.entry.answers and row.languages == languages)
        majority = reductions.majority(items, languages).x
        differences, p_values = against_fixed(xs, majority, [len(x) == 1 for x in xs])
        for (key, _), difference, p in zip(rows, differences.tolist(), p_values.tolist(), strict=True):
            verdict = verdict_of(difference, None if math.isnan(p) else p, alpha_of(level))
            if verdict not in ("better", None) or difference <= _ROUNDING:
                keys.add(key)
    return keys


def _bounds(result: Interval | None) -> Bounds | None:
    return None if result is None else Bounds(result.low, result.high)


def _inference(row: GroupMeasurement) -> Inference:
    if row.reduced is None:
        return "none"
    if row.entry.is_stored:
        return "these answers"
    return "one run" if len(row.reduced.x) == 1 else "runs"


def _note(
    score: Reduced,
    stored: bool,
    two_way: Interval | None,
    by_seeds: Interval | None,
    bootstrap: Bounds | None,
    options: Options,
) -> str | None:
    """What to say about the shown interval, and about the bootstrap's where it is there too."""
    seeds, clusters = score.x.shape
    result = by_seeds if options.interval == "seeds" else two_way
    notes: list[str | None] = [seed_note(options.interval, seeds, stored)]
    notes += (result.note or "").split("; ") if result else []
    notes.append(seed_note("bootstrap", seeds, stored) if bootstrap else None)
    if clusters < 2:
        notes.append("one item: no interval" if score.items < 2 else "all items are one cluster: no interval")
    elif options.random_languages and bootstrap is None:
        notes.append("all languages are of one family: no interval")
    return joined(list(dict.fromkeys(notes)))
