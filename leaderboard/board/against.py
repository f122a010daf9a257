"""Every row against a reference that the user named: difference, interval, and p corrected for the rows compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xlt_bench.leaderboard.board.model import Against, Bounds
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.pairs import RankedRows, least_p
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.stats import compare, holm, percentile_bounds, percentile_p, verdict_of


@dataclass(frozen=True)
class _Difference:
    """One row less another: `p` is None where no test can be made."""

    estimate: float
    low: float
    high: float
    p: float | None


def against_references(
    rows: RankedRows, references: Mapping[str, Entry], options: Options, hidden_rows: int
) -> dict[str, Against]:
    """By key of the entry, its difference from the reference.

    Args:
        references: key of an entry -> the entry that it is compared with.
        hidden_rows: further rows whose comparison with the reference counts in the family.
    """
    positions = {key: row for row, key in enumerate(rows.keys)}
    pairs = [
        (key, references[key])
        for key in rows.keys
        if key in references and references[key].key in positions and references[key].key != key
    ]
    family = len(pairs) + hidden_rows
    differences = [
        _difference(rows, positions[key], positions[reference.key], options, family) for key, reference in pairs
    ]
    p_values = [np.nan if difference.p is None else difference.p for difference in differences]
    adjusted = holm(p_values, hidden_rows) if pairs else ()
    result = {}
    for (key, reference), difference, corrected in zip(pairs, differences, adjusted, strict=True):
        p = None if np.isnan(corrected) else float(corrected)
        result[key] = Against(
            reference=f"{reference.label}, sources {reference.sources}",
            difference=difference.estimate,
            bounds=Bounds(difference.low, difference.high),
            p=p,
            verdict=verdict_of(difference.estimate, p, options.alpha),
        )
    return result


def _difference(rows: RankedRows, first: int, second: int, options: Options, family: int) -> _Difference:
    """One pair with its interval; the same rules as for all pairs."""
    a, b, method = rows.xs[first], rows.xs[second], options.interval
    estimate = float(a.mean() - b.mean())
    if rows.draws:
        return _resampled_difference(rows, first, second, estimate, options.level)
    if (min(len(a), len(b)) if method == "seeds" else a.shape[1]) < 2:
        return _Difference(estimate, estimate, estimate, None)
    table = [x for row, x in enumerate(rows.xs) if row not in (first, second)]
    fixed = (rows.stored[first], rows.stored[second])
    comparison = compare(a, b, method, options.level, deterministic=fixed, further_rows=table)
    undecidable = method == "seeds" and least_p(len(a), len(b)) * family > options.alpha
    return _Difference(estimate, comparison.low, comparison.high, None if undecidable else comparison.p)


def _resampled_difference(rows: RankedRows, first: int, second: int, estimate: float, level: float) -> _Difference:
    draws = rows.draws[rows.keys[first]] - rows.draws[rows.keys[second]]
    low, high = percentile_bounds(draws, level)
    one_run = any(len(rows.xs[row]) == 1 and not rows.stored[row] for row in (first, second))
    if np.ptp(draws) == 0:
        return _Difference(estimate, estimate, estimate, 1.0 if estimate == 0 else None)
    return _Difference(estimate, float(low), float(high), None if one_run else float(percentile_p(draws)))
