"""How small a difference an experiment can find, and how uncertain that is itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, alpha_of, at_least, inside_unit, scores
from .components import components, same_clusters
from .student import squared_t

_DRAWS = 2_000
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Effects:
    """Variances of single seeds, clusters of items and their interaction, free of the number of either.

    Attributes:
        seed: variance between seeds; None when one run was seen, which cannot show it.
        item: variance between clusters (with one run, the interaction is inside).
        cell: variance of the interaction, with what remains; None when one run was seen.
    """

    seed: float | None
    item: float
    cell: float | None


@dataclass(frozen=True, slots=True)
class DetectableDifference:
    """The least true difference that the two-way test finds with the given power, in the unit of the scores.

    The variances are estimates, so this is one too: `low` and `high` hold the true value with the given confidence.

    Attributes:
        estimate: with the variances as seen.
        low: with variances that are as small as the data allow.
        high: with variances that are as large as the data allow: plan with this one.
    """

    estimate: float
    low: float
    high: float


def effects(x: ArrayLike) -> Effects:
    """Unbiased variance components of reduced scores, those below 0 raised to 0.

    Args:
        x: (seeds, clusters) scores from `reduce`, or the difference of two methods with paired seeds.

    Returns:
        Effects in the squared unit of `x`.

    Raises:
        ValueError: wrong shape, values that are not finite, or one cluster.
    """
    x = scores(x)
    variances = components(x)
    item, run = variances.item, variances.seed
    if run is None:
        return Effects(None, float(item) * x.shape[1], None)
    between = _above_zero(run.main - run.cell) * len(x)
    return Effects(between, _above_zero(item - run.cell) * x.shape[1], float(run.cell) * x.size)


def detectable_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    seeds: int | None = None,
    clusters: int | None = None,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 1,
    paired_seeds: bool = False,
    confidence: float = 0.9,
) -> DetectableDifference:
    """The least true difference between two methods that the two-way test would find with the given power.

    The variance components are those seen in `a` and `b`; the experiment may be another, larger one. The test is that
    by components of two rows by themselves (`student`); in a table, rows learn from each other and less is needed.

    Args:
        a: (seeds_a, clusters) scores from `reduce`.
        b: (seeds_b, clusters) scores of the same items.
        seeds: of each method in the planned experiment; default: as many as each has.
        clusters: in the planned experiment; default: as many as there are.
        level: 1 - alpha of the test.
        power: chance to find the difference, between alpha and 1.
        comparisons: size of the family: alpha is divided by it (Bonferroni, the first step of Holm).
        paired_seeds: as in `compare`.
        confidence: with which `low` and `high` hold the true value.

    Returns:
        DetectableDifference; 0 where nothing varies.

    Raises:
        ValueError: values out of range, differing items, one cluster, paired seeds that are not as many, or more seeds
            planned for a method of which one run was seen.
    """
    a, b = scores(a, "a"), scores(b, "b")
    same_clusters(a, b)
    at_least(comparisons, 1, "comparisons")
    inside_unit(confidence, "confidence")
    if paired_seeds and len(a) != len(b):
        raise ValueError(f"paired seeds must be as many in a as in b, got {len(a)} and {len(b)}")
    clusters = a.shape[1] if clusters is None else clusters
    at_least(clusters, 2, "clusters")
    samples = [a - b] if paired_seeds else [a, b]
    planned = [len(x) if seeds is None else seeds for x in samples]
    alpha = alpha_of(level) / comparisons
    if not alpha < inside_unit(power, "power"):
        raise ValueError(f"power must be greater than alpha ({alpha:g}), got {power:g}")
    parts = _planned(samples, planned, clusters)
    tail = (1 - confidence) / 2
    bounds = [_rescaled(parts, quantile) for quantile in (1 - tail, tail)]
    low, high = (_shift(bound, alpha, power) for bound in bounds)
    return DetectableDifference(_shift(parts, alpha, power), low, high)


@dataclass(frozen=True, slots=True)
class _PlannedPart:
    """A part of the variance in the planned experiment: `df` there, and `seen_df` with which it was estimated."""

    variance: float
    df: int
    seen_df: int


def _planned(samples: Sequence[Array], seeds: Sequence[int], clusters: int) -> list[_PlannedPart]:
    """The parts of the variance of the mean difference in the planned experiment; seeds' parts contain V_cell."""
    by_cluster = samples[0].mean(axis=0) - (samples[1].mean(axis=0) if len(samples) == 2 else 0.0)
    seen = [components(x).seed for x in samples]
    inside = sum((run.cell for run in seen if run is not None), np.zeros(()))
    item = _above_zero(by_cluster.var(ddof=1) - len(by_cluster) * inside) / clusters
    parts = []
    for x, run, count in zip(samples, seen, seeds, strict=True):
        at_least(count, 1, "seeds")
        if run is None and count > 1:
            raise ValueError(f"one run cannot show the variance between seeds that {count} planned seeds need")
        if run is not None:
            cell = float(run.cell) * x.size / (count * clusters)
            if count > 1:
                between = _above_zero(run.main - run.cell) * len(x) / count
                parts.append(_PlannedPart(between + cell, count - 1, len(x) - 1))
            else:
                item += cell
    parts.append(_PlannedPart(item, clusters - 1, len(by_cluster) - 1))
    return [part for part in parts if part.variance > 0]


def _rescaled(parts: Sequence[_PlannedPart], quantile: float) -> list[_PlannedPart]:
    """Each part at the bound of its variance: estimate * df / chi-squared quantile of its degrees of freedom."""
    from scipy.special import chdtri

    return [
        _PlannedPart(part.variance * part.seen_df / float(chdtri(part.seen_df, 1 - quantile)), part.df, part.seen_df)
        for part in parts
    ]


def _shift(parts: Sequence[_PlannedPart], alpha: float, power: float) -> float:
    """The true difference at which the test by components at `alpha` finds one with `power`."""
    from scipy.special import ndtr

    if not parts:
        return 0.0
    rng = np.random.default_rng(0)
    deviation = np.sqrt(sum(part.variance for part in parts))
    squared = sum(
        part.variance * float(squared_t(alpha, part.df)) * rng.chisquare(part.df, _DRAWS) / part.df for part in parts
    )
    threshold = np.sqrt(squared) / deviation

    def found(shift: float) -> float:
        return float(np.mean(ndtr(shift - threshold) + ndtr(-shift - threshold)))

    low, high = 0.0, 1.0
    while found(high) < power:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < power else (low, middle)
    return float(high * deviation)


def _above_zero(variance: Array | np.floating) -> float:
    return max(0.0, float(variance))
