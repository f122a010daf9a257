"""Rules for the p-values of a table of methods: the shipped one, and those that were tried and dropped."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xlt_bench.stats import Pairwise, holm_pairs, pairwise
from xlt_bench.stats.components import item_variance, remaining_variance
from xlt_bench.stats.seed_spread import SeedSpread
from xlt_bench.stats.student import Part, two_sided_p
from xlt_bench.stats.table import Table

Array = NDArray[np.float64]
Rule = Callable[[Sequence[Array]], Pairwise]


def shipped(xs: Sequence[Array]) -> Pairwise:
    """Seeds learnt from the table, components, step-down of the largest statistic."""
    return pairwise(xs)


def shipped_with_holm(xs: Sequence[Array]) -> Pairwise:
    """The same p-values, corrected by Holm."""
    result = pairwise(xs)
    return replace(result, adjusted_p=holm_pairs(result.p))


def with_prior(prior: float) -> Rule:
    """The shipped rule with another prior probability that a row is unlike the others."""

    def rule(xs: Sequence[Array]) -> Pairwise:
        table = Table.of(xs)
        changed_spread = SeedSpread.learnt(table.seed_spread.variance, table.seed_spread.df, prior)
        first, second = np.triu_indices(len(xs), k=1)
        changed = replace(table, seed_spread=changed_spread)
        p = changed.p_values(first, second)
        return _paired(xs, p, changed.adjusted_p_values(first, second, p))

    return rule


def satterthwaite(xs: Sequence[Array]) -> Pairwise:
    """One t with Satterthwaite's degrees of freedom for the sum of variances, Holm: the rule of version 0.1."""
    from scipy.special import stdtr

    table = Table.of(xs)
    first, second = np.triu_indices(len(xs), k=1)
    clusters = table.by_cluster.shape[1]
    seed = table.main[first] + table.main[second]
    item = item_variance(table.by_cluster[first] - table.by_cluster[second])
    variance = seed + remaining_variance(item, seed, table.cell[first] + table.cell[second])
    squares = item**2 / (clusters - 1)
    for rows in (first, second):
        squares = squares + table.main[rows] ** 2 / (table.seeds[rows] - 1)
    distance = np.abs(table.mean[first] - table.mean[second])
    return _holm(xs, 2 * stdtr(variance**2 / squares, -distance / np.sqrt(variance)))


def each_by_itself(xs: Sequence[Array]) -> Pairwise:
    """Components with each row's own variance between seeds and S - 1 degrees of freedom, Holm."""
    table = Table.of(xs)
    return _by_parts(xs, table.main, table.seeds - 1.0)


def floor_at_mean(xs: Sequence[Array]) -> Pairwise:
    """Components; variance between seeds at least the table's mean, degrees of freedom those of all rows, Holm."""
    table = Table.of(xs)
    single = table.main * table.seeds
    floored = np.maximum(single, single.mean()) / table.seeds
    return _by_parts(xs, floored, np.full(len(xs), (table.seeds - 1.0).sum()))


def _by_parts(xs: Sequence[Array], main: Array, df: Array) -> Pairwise:
    table = Table.of(xs)
    first, second = np.triu_indices(len(xs), k=1)
    parts = [Part(main[first], df[first]), Part(main[second], df[second])]
    parts.append(Part(table.remaining(first, second), table.by_cluster.shape[1] - 1))
    return _holm(xs, two_sided_p(table.mean[first] - table.mean[second], parts))


def _holm(xs: Sequence[Array], p: Array) -> Pairwise:
    result = _paired(xs, p, p)
    return replace(result, adjusted_p=holm_pairs(result.p))


def _paired(xs: Sequence[Array], p: Array, adjusted: Array) -> Pairwise:
    means = np.array([x.mean() for x in xs])
    squares = []
    for values in (p, adjusted):
        square = np.full((len(xs), len(xs)), np.nan)
        square[np.triu_indices(len(xs), k=1)] = values
        squares.append(np.fmax(square, square.T))
    return Pairwise(means[:, None] - means, squares[0], squares[1], np.ones(len(xs), dtype=bool), len(p))


CANDIDATES: dict[str, Rule] = {
    "shipped": shipped,
    "shipped, Holm": shipped_with_holm,
    "no unlike rows": with_prior(0.0),
    "floor at mean": floor_at_mean,
    "each by itself": each_by_itself,
    "Satterthwaite": satterthwaite,
}
