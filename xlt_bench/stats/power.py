"""How small a difference an experiment can find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, alpha_of, at_least, inside_unit, scores
from .components import components, same_items


@dataclass(frozen=True, slots=True)
class Effects:
    """Variances of single seeds, items and their interaction, free of the number of either.

    Attributes:
        seed: variance between seeds; None when one run was seen, which cannot show it.
        item: variance between items (with one run, the interaction is inside).
        cell: variance of the interaction, with what remains; None when one run was seen.
    """

    seed: float | None
    item: float
    cell: float | None


def effects(x: ArrayLike) -> Effects:
    """Unbiased variance components of reduced scores, those below 0 raised to 0.

    Args:
        x: (seeds, items) scores from `reduce`, or the difference of two methods with paired seeds.

    Returns:
        Effects in the squared unit of `x`.

    Raises:
        ValueError: wrong shape, values that are not finite, or one item.
    """
    x = scores(x)
    parts = components(x)
    item, run = parts.item, parts.seed
    if run is None:
        return Effects(None, float(item) * x.shape[1], None)
    between = _above_zero(run.main - run.cell) * len(x)
    return Effects(between, _above_zero(item - run.cell) * x.shape[1], float(run.cell) * x.size)


def detectable_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    seeds: int | None = None,
    items: int | None = None,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 1,
    paired_seeds: bool = False,
) -> float:
    """The least true difference between two methods that the two-way test would find with the given power.

    The variance components are those seen in `a` and `b`; the experiment may be another, larger one.

    Args:
        a: (seeds_a, items) scores from `reduce`.
        b: (seeds_b, items) scores of the same items.
        seeds: of each method in the planned experiment; default: as many as each has.
        items: in the planned experiment; default: as many as there are.
        level: 1 - alpha of the test.
        power: chance to find the difference, between alpha and 1.
        comparisons: size of the family: alpha is divided by it (Bonferroni, the first step of Holm).
        paired_seeds: as in `compare`.

    Returns:
        The difference in the unit of the scores; 0 where nothing varies.

    Raises:
        ValueError: values out of range, differing items, one item, paired seeds that are not as many, or more seeds
            planned for a method of which one run was seen.
    """
    a, b = scores(a, "a"), scores(b, "b")
    same_items(a, b)
    at_least(comparisons, 1, "comparisons")
    if paired_seeds and len(a) != len(b):
        raise ValueError(f"paired seeds must be as many in a as in b, got {len(a)} and {len(b)}")
    items = a.shape[1] if items is None else items
    at_least(items, 2, "items")
    samples = [a - b] if paired_seeds else [a, b]
    planned = [len(x) if seeds is None else seeds for x in samples]
    alpha = alpha_of(level) / comparisons
    if not alpha < inside_unit(power, "power"):
        raise ValueError(f"power must be greater than alpha ({alpha:g}), got {power:g}")
    variance, df = _planned(samples, planned, items)
    return 0.0 if variance == 0 else _noncentrality(df, alpha, power) * float(np.sqrt(variance))


def _planned(samples: list[Array], seeds: list[int], items: int) -> tuple[float, float]:
    """The two-way variance of the mean difference, and its degrees of freedom, in the planned experiment."""
    by_item = samples[0].mean(axis=0) - (samples[1].mean(axis=0) if len(samples) == 2 else 0.0)
    seen = [components(x).seed for x in samples]
    inside = sum((run.cell for run in seen if run is not None), np.zeros(()))
    item = _above_zero(by_item.var(ddof=1) - len(by_item) * inside) / items
    between = []
    for x, run, count in zip(samples, seen, seeds, strict=True):
        at_least(count, 1, "seeds")
        if run is None and count > 1:
            raise ValueError(f"one run cannot show the variance between seeds that {count} planned seeds need")
        if run is not None:
            cell = float(run.cell) * x.size / (count * items)
            item += cell
            if count > 1:
                between.append((_above_zero(run.main - run.cell) * len(x) / count, cell, count - 1))
    variance = item + sum(seed for seed, _, _ in between)
    spread = item**2 / (items - 1) + sum((seed + cell) ** 2 / df for seed, cell, df in between)
    return variance, variance**2 / spread if spread else float("nan")


def _noncentrality(df: float, alpha: float, power: float) -> float:
    """The shift, in standard errors, at which a two-sided t test at `alpha` finds a difference with `power`."""
    from scipy.special import nctdtr, stdtrit

    threshold = float(stdtrit(df, 1 - alpha / 2))

    def found(shift: float) -> float:
        return float(1 - nctdtr(df, shift, threshold) + nctdtr(df, shift, -threshold))

    low, high = 0.0, threshold
    while found(high) < power:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < power else (low, middle)
    return high


def _above_zero(variance: Array | np.floating) -> float:
    return max(0.0, float(variance))
