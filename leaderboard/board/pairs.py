"""Every pair of the ranked rows of a target group: differences and p-values, before families are corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from xlt_bench.leaderboard.board.detail import GroupPairs
from xlt_bench.leaderboard.board.measuring import GroupMeasurement
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.board.resampled_pairs import resampled_pairs
from xlt_bench.leaderboard.board.resampling import Resampler
from xlt_bench.metrics.base import Values
from xlt_bench.stats import holm_pairs, pairwise


@dataclass(frozen=True)
class RankedRows:
    """The ranked rows of a group on the languages that all of them have.

    Attributes:
        keys: of their entries.
        xs: (seeds, clusters) scores of each.
        stored: whether a row's answers do not depend on a seed.
        draws: (resamples,) means of each where tests are of the bootstrap, else none.
    """

    languages: tuple[str, ...]
    keys: tuple[str, ...]
    xs: tuple[Values, ...]
    stored: tuple[bool, ...]
    draws: Mapping[str, Values]

    @property
    def means(self) -> Values:
        """(rows,) of each row."""
        return np.array([x.mean() for x in self.xs])

    def testable(self, options: Options) -> bool:
        """Whether there are two rows, and two of all that is random."""
        return len(self.keys) > 1 and self.xs[0].shape[1] > 1 and (bool(self.draws) or options.interval != "bootstrap")


@dataclass(frozen=True)
class PairTests:
    """All pairs of M rows.

    Attributes:
        differences: (M, M) the row's mean less the column's.
        p: (M, M) of each pair on its own, NaN without a test.
        adjusted: (M, M) after correction for the pairs of this group alone.
    """

    differences: Values
    p: Values
    adjusted: Values

    @property
    def count(self) -> int:
        """How many pairs were tested."""
        return int(np.isfinite(self.p[np.triu_indices(len(self.p), k=1)]).sum())


def ranked_rows(
    measured: Sequence[GroupMeasurement], codes: Sequence[str], reductions: Reductions, resampler: Resampler
) -> RankedRows | None:
    """Those that can be ranked; None where there is none, or no language that all have."""
    rows = [row for row in measured if row.may_be_ranked]
    shared = set(codes).intersection(*(row.languages for row in rows)) if rows else set()
    languages = tuple(code for code in codes if code in shared)
    if not languages:
        return None
    scores = [reductions.of(row.entry, languages) for row in rows]
    return RankedRows(
        languages=languages,
        keys=tuple(row.entry.key for row in rows),
        xs=tuple(score.x for score in scores),
        stored=tuple(row.entry.is_stored for row in rows),
        draws=resampler.tests([row.entry for row in rows], languages),
    )


def pair_tests(rows: RankedRows, options: Options) -> PairTests:
    """Every pair of rows, which must be `testable`."""
    if rows.draws:
        testable = np.array([len(x) > 1 or stored for x, stored in zip(rows.xs, rows.stored, strict=True)])
        p, adjusted = resampled_pairs(np.stack([rows.draws[key] for key in rows.keys]), testable)
        return PairTests(rows.means[:, None] - rows.means, p, adjusted)
    if options.interval == "two-way":
        pairs = pairwise(rows.xs, "two-way", deterministic=rows.stored)
        return PairTests(pairs.differences, pairs.p, pairs.adjusted_p)
    pairs = pairwise(rows.xs, "seeds", deterministic=rows.stored)
    # no verdict that the exact test across seeds could never have reached
    seeds = [len(x) for x in rows.xs]
    least = np.array([[least_p(a, b) for b in seeds] for a in seeds])
    p = np.where(least * comb(len(seeds), 2) > options.alpha, np.nan, pairs.p)
    return PairTests(pairs.differences, p, holm_pairs(p))


def group_pairs(positions: Sequence[int], tests: PairTests, adjusted: Values) -> GroupPairs:
    """The pairs as a board keeps them.

    Args:
        positions: of the tests' rows in the section.
        adjusted: (M, M) p after the correction that the board is made with.
    """
    first, second = np.triu_indices(len(positions), k=1)
    return GroupPairs(
        rows=tuple(positions),
        differences=tuple(tests.differences[first, second].tolist()),
        p=tuple(None if np.isnan(p) else float(p) for p in adjusted[first, second]),
    )


def least_p(seeds_a: int, seeds_b: int) -> float:
    """The least p that an exact permutation test across so many seeds can reach."""
    return (2 if seeds_a == seeds_b else 1) / comb(seeds_a + seeds_b, seeds_a)
