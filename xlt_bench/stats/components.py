"""What the variance of a mean over seeds and items is made of.

Functions here take any number of leading axes, so that thousands of simulated experiments are one call.
Sources: Cameron, Gelbach & Miller (2011), "Robust inference with multiway clustering", for adding the one-way variances
and taking off their intersection; Owen (2007), "The pigeonhole bootstrap", for crossed random effects;
Satterthwaite (1946), "An approximate distribution of estimates of variance components", for the degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array, at_least


@dataclass(frozen=True, slots=True)
class SeedVariance:
    """What differs between seeds, as variances of the mean over seeds and items.

    `main` is V_seed = var_s(mean_i X) / S; `cell` is V_cell = the interaction's mean square / (S I), contained in both
    V_seed and V_item.
    """

    main: Array
    cell: Array
    seeds: int


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of the mean of X (..., seeds, items); `seed` is None for one run, which cannot show any."""

    item: Array
    seed: SeedVariance | None
    items: int


@dataclass(frozen=True, slots=True)
class MeanVariance:
    """An estimate (...), its variance and Satterthwaite's degrees of freedom (NaN where the variance is 0)."""

    estimate: Array
    variance: Array
    df: Array


def components(x: Array) -> Components:
    """V_seed, V_item and V_cell of one method.

    Args:
        x: (..., seeds, items) reduced scores.

    Returns:
        Components with arrays of shape (...), in the squared unit of `x`.

    Raises:
        ValueError: fewer than two items.
    """
    seeds, items = x.shape[-2:]
    by_item = x.mean(axis=-2)
    return Components(_item_variance(by_item), _seed_variance(x, by_item) if seeds > 1 else None, items)


def two_way(x: Array) -> MeanVariance:
    """The mean of one method, random over seeds and over items.

    V = max(V_seed + V_item - V_cell, V_seed, V_item), df = V^2 / (V_seed^2 / (S-1) + V_item^2 / (I-1)); with one run
    V = V_item and df = I - 1.

    Args:
        x: (..., seeds, items) reduced scores.

    Raises:
        ValueError: fewer than two items.
    """
    parts = components(x)
    return _combine(x.mean(axis=(-2, -1)), parts.item, parts.items, [parts.seed])


def two_way_difference(a: Array, b: Array) -> MeanVariance:
    """The mean of method `a` less that of `b`: the same items, seeds of each method's own.

    V_item is that of the item-wise difference of means over seeds; each method adds its V_seed and takes off its
    V_cell; V is floored at max(V_seedA + V_seedB, V_item). A method with one run has no V_seed and no V_cell.

    Args:
        a: (..., seeds_a, items) reduced scores.
        b: (..., seeds_b, items) reduced scores of the same items in the same order.

    Raises:
        ValueError: another number of items in `a` than in `b`, or fewer than two.
    """
    same_items(a, b)
    by_item = a.mean(axis=-2) - b.mean(axis=-2)
    parts = [components(a).seed, components(b).seed]
    return _combine(by_item.mean(axis=-1), _item_variance(by_item), a.shape[-1], parts)


def seeds_only(x: Array) -> MeanVariance:
    """The mean of one method, random over seeds, for these very items: V = V_seed, df = S - 1.

    Raises:
        ValueError: fewer than two seeds.
    """
    seeds = x.shape[-2]
    at_least(seeds, 2, "seeds of a seeds-only interval")
    by_seed = x.mean(axis=-1)
    variance = np.asarray(by_seed.var(axis=-1, ddof=1) / seeds)
    return MeanVariance(by_seed.mean(axis=-1), variance, np.full(variance.shape, seeds - 1.0))


def seeds_only_difference(a: Array, b: Array) -> MeanVariance:
    """`a` less `b`, random over seeds, for these very items: Welch's test on the means of seeds."""
    same_items(a, b)
    one, other = seeds_only(a), seeds_only(b)
    variance = one.variance + other.variance
    with np.errstate(invalid="ignore"):
        df = variance**2 / (one.variance**2 / one.df + other.variance**2 / other.df)
    return MeanVariance(one.estimate - other.estimate, variance, df)


def same_items(a: Array, b: Array) -> None:
    """Raise unless `a` and `b` have as many items."""
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"a and b must have the same items, got {a.shape[-1]} and {b.shape[-1]} of them")


def _item_variance(by_item: Array) -> Array:
    items = by_item.shape[-1]
    at_least(items, 2, "items")
    return np.asarray(by_item.var(axis=-1, ddof=1) / items)


def _seed_variance(x: Array, by_item: Array) -> SeedVariance:
    seeds, items = x.shape[-2:]
    by_seed = x.mean(axis=-1)
    interaction = x - by_item[..., None, :]
    interaction -= (by_seed - by_seed.mean(axis=-1, keepdims=True))[..., None]
    cell = np.einsum("...si,...si->...", interaction, interaction) / ((seeds - 1) * (items - 1) * seeds * items)
    return SeedVariance(np.asarray(by_seed.var(axis=-1, ddof=1) / seeds), np.asarray(cell), seeds)


def _combine(estimate: Array, item: Array, items: int, runs: list[SeedVariance | None]) -> MeanVariance:
    between = [run for run in runs if run is not None]
    seed = np.asarray(sum((run.main for run in between), np.zeros_like(item)))
    cell = np.asarray(sum((run.cell for run in between), np.zeros_like(item)))
    variance = np.maximum(seed + item - cell, np.maximum(seed, item))
    spread = sum((run.main**2 / (run.seeds - 1) for run in between), item**2 / (items - 1))
    with np.errstate(invalid="ignore"):
        return MeanVariance(np.asarray(estimate), variance, variance**2 / spread)
