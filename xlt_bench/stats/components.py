"""What the variance of a mean over seeds and clusters is made of.

Scores are X (..., seeds, clusters) from `reduce`, where an item is a cluster of its own unless the task says otherwise.
Functions here take any number of leading axes, so that thousands of simulated experiments are one call.
Sources: Cameron, Gelbach & Miller (2011), "Robust inference with multiway clustering", for adding the one-way variances
and taking off their intersection; Owen (2007), "The pigeonhole bootstrap", for crossed random effects; Howe (1974),
Graybill & Wang (1980) and Banerjee (1961) for intervals by components (see `student`).
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array, at_least
from .student import Part, total_variance


@dataclass(frozen=True, slots=True)
class SeedVariance:
    """What differs between seeds, as variances of the mean over seeds and clusters.

    `main` is V_seed = var_s(mean_c X) / S; `cell` is V_cell = the interaction's mean square / (S C), contained in both
    V_seed and V_item.
    """

    main: Array
    cell: Array
    seeds: int


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of the mean of X (..., seeds, clusters); `seed` is None for one run, which cannot show any."""

    item: Array
    seed: SeedVariance | None
    clusters: int


@dataclass(frozen=True, slots=True)
class MeanVariance:
    """An estimate (...) and the parts of its variance."""

    estimate: Array
    parts: tuple[Part, ...]

    @property
    def variance(self) -> Array:
        """The variance of the estimate: (...)."""
        return total_variance(self.parts)


def components(x: Array) -> Components:
    """V_seed, V_item and V_cell of one method.

    Args:
        x: (..., seeds, clusters) reduced scores.

    Returns:
        Components with arrays of shape (...), in the squared unit of `x`.

    Raises:
        ValueError: fewer than two clusters.
    """
    seeds, clusters = x.shape[-2:]
    by_cluster = x.mean(axis=-2)
    return Components(item_variance(by_cluster), _seed_variance(x, by_cluster) if seeds > 1 else None, clusters)


def two_way(x: Array) -> MeanVariance:
    """The mean of one method, random over seeds and over clusters.

    V = max(V_seed + V_item - V_cell, V_seed, V_item), of which V_seed has S - 1 degrees of freedom and the rest C - 1;
    with one run V = V_item.

    Args:
        x: (..., seeds, clusters) reduced scores.

    Raises:
        ValueError: fewer than two clusters.
    """
    variances = components(x)
    return _combine(x.mean(axis=(-2, -1)), variances.item, variances.clusters, [variances.seed])


def two_way_difference(a: Array, b: Array) -> MeanVariance:
    """The mean of method `a` less that of `b`: the same clusters, seeds of each method's own.

    V_item is that of the cluster-wise difference of means over seeds; each method adds its V_seed and takes off its
    V_cell; V is floored at max(V_seedA + V_seedB, V_item). A method with one run has no V_seed and no V_cell.

    Args:
        a: (..., seeds_a, clusters) reduced scores.
        b: (..., seeds_b, clusters) reduced scores of the same clusters in the same order.

    Raises:
        ValueError: another number of clusters in `a` than in `b`, or fewer than two.
    """
    same_clusters(a, b)
    by_cluster = a.mean(axis=-2) - b.mean(axis=-2)
    runs = [components(a).seed, components(b).seed]
    return _combine(by_cluster.mean(axis=-1), item_variance(by_cluster), a.shape[-1], runs)


def seeds_only(x: Array) -> MeanVariance:
    """The mean of one method, random over seeds, for these very items: V = V_seed with S - 1 degrees of freedom.

    Raises:
        ValueError: fewer than two seeds.
    """
    seeds = x.shape[-2]
    at_least(seeds, 2, "seeds of a seeds-only interval")
    by_seed = x.mean(axis=-1)
    variance = np.asarray(by_seed.var(axis=-1, ddof=1) / seeds)
    return MeanVariance(by_seed.mean(axis=-1), (Part(variance, seeds - 1),))


def seeds_only_difference(a: Array, b: Array) -> MeanVariance:
    """`a` less `b`, random over seeds, for these very items: each method's V_seed with its own degrees of freedom."""
    same_clusters(a, b)
    mean_a, mean_b = seeds_only(a), seeds_only(b)
    return MeanVariance(mean_a.estimate - mean_b.estimate, (*mean_a.parts, *mean_b.parts))


def same_clusters(a: Array, b: Array) -> None:
    """Raise unless `a` and `b` have as many clusters."""
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"a and b must have the same items, got {a.shape[-1]} and {b.shape[-1]} clusters of them")


def item_variance(by_cluster: Array) -> Array:
    """V_item of scores (..., clusters): their variance over the number of clusters."""
    clusters = by_cluster.shape[-1]
    at_least(clusters, 2, "items (or clusters of them)")
    return np.asarray(by_cluster.var(axis=-1, ddof=1) / clusters)


def remaining_variance(item: Array, seed: Array, cell: Array) -> Array:
    """What is left of V = max(V_seed + V_item - V_cell, V_seed, V_item) beside V_seed: (...)."""
    return np.maximum(np.maximum(item - cell, item - seed), 0.0)


def _seed_variance(x: Array, by_cluster: Array) -> SeedVariance:
    seeds, clusters = x.shape[-2:]
    by_seed = x.mean(axis=-1)
    interaction = x - by_cluster[..., None, :]
    interaction -= (by_seed - by_seed.mean(axis=-1, keepdims=True))[..., None]
    free = (seeds - 1) * (clusters - 1)
    cell = np.einsum("...sc,...sc->...", interaction, interaction) / (free * seeds * clusters)
    return SeedVariance(np.asarray(by_seed.var(axis=-1, ddof=1) / seeds), np.asarray(cell), seeds)


def _combine(estimate: Array, item: Array, clusters: int, runs: list[SeedVariance | None]) -> MeanVariance:
    between = [run for run in runs if run is not None]
    seed = np.asarray(sum((run.main for run in between), np.zeros_like(item)))
    cell = np.asarray(sum((run.cell for run in between), np.zeros_like(item)))
    by_seed = [Part(run.main, run.seeds - 1) for run in between]
    return MeanVariance(np.asarray(estimate), (*by_seed, Part(remaining_variance(item, seed, cell), clusters - 1)))
