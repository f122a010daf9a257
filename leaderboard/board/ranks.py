"""Who is better than whom on one group: ranks, letters, differences from a reference, and the bootstrap's draws.

Every pair of ranked rows is tested and corrected together by Holm. The row that happens to be best is not treated as if
it had been singled out beforehand: a family of "all against the best" would call too many differences real. A reference
that the user names (`Options.reference`) is such a choice; then its family is all shown rows against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from xlt_bench.leaderboard.board.model import Against, Bounds
from xlt_bench.leaderboard.board.scoring import Measured, Options, Reductions, Scores
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.stats import (
    compare,
    holm,
    holm_pairs,
    pairwise,
    percentile_bounds,
    percentile_p,
    rank_methods,
    resampled_means,
    verdict_of,
)

RESAMPLES = 10_000


@dataclass(frozen=True)
class Place:
    """Where a row stands among the ranked ones; see `GroupScore`."""

    accuracy: float
    rank: int | None
    worst: int | None
    letters: str
    against: Against | None


@dataclass(frozen=True)
class Difference:
    """One row less another: `p` is None where no test can be made."""

    estimate: float
    low: float
    high: float
    p: float | None


def may_be_ranked(measured: Measured) -> bool:
    """Rows with answers to single items, of at least half of the group's languages.

    Ranks are on the languages that all ranked rows have, so a row with a handful of them would take the others' away.
    """
    return measured.reduced is not None and len(measured.languages) >= len(measured.missing)


def common_languages(ranked: Sequence[Measured], codes: Sequence[str]) -> tuple[str, ...]:
    """The languages of the group that all these rows have."""
    return tuple(code for code in codes if all(code in row.languages for row in ranked)) if ranked else ()


def places(
    ranked: Sequence[Measured],
    common: tuple[str, ...],
    reductions: Reductions,
    options: Options,
    references: Mapping[str, Entry],
) -> dict[str, Place]:
    """By key of the entry, where each row stands.

    Args:
        common: languages that all rows have.
        references: key -> the entry that it is compared with.
    """
    if not common:
        return {}
    xs = {row.entry.key: reductions.of(row.entry, common).x for row in ranked}
    draws = _draws(ranked, common, reductions) if options.interval == "bootstrap" else {}
    against = _against(xs, draws, options, references)
    keys = list(xs)
    means = {key: float(x.mean()) for key, x in xs.items()}
    if len(keys) < 2 or next(iter(xs.values())).shape[1] < 2:
        return {key: Place(means[key], None, None, "", against.get(key)) for key in keys}
    ranking = rank_methods(*_every_pair(xs, draws, options), options.level)
    return {
        key: Place(means[key], int(ranking.rank[i]), int(ranking.worst[i]), ranking.letters[i], against.get(key))
        for i, key in enumerate(keys)
    }


def _every_pair(xs: Mapping[str, Scores], draws: Mapping[str, Scores], options: Options) -> tuple[Scores, Scores]:
    """Differences of all pairs and p corrected for their number, (rows, rows); NaN where there is no test."""
    if options.interval == "bootstrap":
        means = np.array([x.mean() for x in xs.values()])
        return means[:, None] - means, holm_pairs(_bootstrap_p(np.stack([draws[key] for key in xs])))
    result = pairwise(list(xs.values()), options.interval, deterministic=[len(x) == 1 for x in xs.values()])
    if options.interval == "two-way":
        return result.differences, result.adjusted_p
    # no verdict that the exact test across seeds could never have reached
    seeds = [len(x) for x in xs.values()]
    least = np.array([[least_p(seeds_a, seeds_b) for seeds_b in seeds] for seeds_a in seeds])
    p = np.where(least * comb(len(seeds), 2) > _alpha(options), np.nan, result.p)
    return result.differences, holm_pairs(p)


def _bootstrap_p(resampled: Scores) -> Scores:
    """Of every pair of (rows, resamples); where nothing varies 1 for equal means and no test for others."""
    p = np.full((len(resampled), len(resampled)), np.nan)
    for i, one in enumerate(resampled):
        gaps = one - resampled[i + 1 :]
        still = np.ptp(gaps, axis=1) == 0
        p[i, i + 1 :] = np.where(still & (gaps[:, 0] != 0), np.nan, percentile_p(gaps))
    lower = np.tril_indices(len(p), k=-1)
    p[lower] = p.T[lower]
    return p


def bootstrap_bounds(measured: Sequence[Measured], level: float) -> dict[str, Bounds]:
    """By key of the entry, the bootstrap's interval on the row's own languages; one draw of items for equal items."""
    rows = [row for row in measured if row.reduced is not None and row.reduced.x.shape[1] > 1]
    draws = _resampled([(row.entry, row.reduced.x, row.reduced.items) for row in rows if row.reduced is not None])
    found = {}
    for key, means in draws.items():
        low, high = percentile_bounds(means, level)
        found[key] = Bounds(float(low), float(high))
    return found


def _draws(ranked: Sequence[Measured], common: tuple[str, ...], reductions: Reductions) -> dict[str, Scores]:
    shared = [(row.entry, reductions.of(row.entry, common)) for row in ranked]
    return _resampled([(entry, one.x, one.items) for entry, one in shared if one.x.shape[1] > 1])


def _resampled(rows: Sequence[tuple[Entry, Scores, bytes]]) -> dict[str, Scores]:
    """By key of the entry its resampled means (resamples,).

    The draw of items follows from which items they are, that of a row's seeds from its answers: a board is the same
    whoever makes it, and from the same Records also row by row when others are added.
    """
    found: dict[str, Scores] = {}
    for items in dict.fromkeys(items for _, _, items in rows):
        own = [(entry, x) for entry, x, of in rows if of == items]
        means = resampled_means(
            [x for _, x in own],
            key=items,
            seed_keys=[entry.answers.content for entry, _ in own if entry.answers is not None],
            resamples=RESAMPLES,
        )
        found |= {entry.key: mean for (entry, _), mean in zip(own, means, strict=True)}
    return found


def _against(
    xs: Mapping[str, Scores], draws: Mapping[str, Scores], options: Options, references: Mapping[str, Entry]
) -> dict[str, Against]:
    pairs = [(key, references[key]) for key in xs if key in references and references[key].key in xs.keys() - {key}]
    found = [_difference(key, other.key, xs, draws, options, len(pairs)) for key, other in pairs]
    adjusted = holm([np.nan if one.p is None else one.p for one in found])
    result = {}
    for (key, other), one, corrected in zip(pairs, found, adjusted, strict=True):
        p = None if np.isnan(corrected) else float(corrected)
        verdict = verdict_of(one.estimate, p, _alpha(options))
        result[key] = Against(
            f"{other.label}, sources {other.sources}", one.estimate, Bounds(one.low, one.high), p, verdict
        )
    return result


def _difference(
    one: str, other: str, xs: Mapping[str, Scores], draws: Mapping[str, Scores], options: Options, family: int
) -> Difference:
    """One pair with its interval; the same rules as for all pairs."""
    a, b, method = xs[one], xs[other], options.interval
    estimate = float(a.mean() - b.mean())
    if one in draws and other in draws:
        means = draws[one] - draws[other]
        low, high = percentile_bounds(means, options.level)
        if np.ptp(means) == 0:
            return Difference(estimate, estimate, estimate, 1.0 if estimate == 0 else None)
        return Difference(estimate, float(low), float(high), float(percentile_p(means)))
    if (min(len(a), len(b)) if method == "seeds" else a.shape[1]) < 2:
        return Difference(estimate, estimate, estimate, None)
    others = [x for key, x in xs.items() if key not in (one, other)]
    stored = (len(a) == 1, len(b) == 1)
    found = compare(a, b, method, options.level, deterministic=stored, others=others)
    if method == "seeds" and least_p(len(a), len(b)) * family > _alpha(options):
        return Difference(found.difference, found.low, found.high, None)
    return Difference(found.difference, found.low, found.high, found.p)


def _alpha(options: Options) -> float:
    return round(1 - options.level, 12)


def least_p(seeds_a: int, seeds_b: int) -> float:
    """The least p that an exact permutation test across so many seeds can reach."""
    return (2 if seeds_a == seeds_b else 1) / comb(seeds_a + seeds_b, seeds_a)
