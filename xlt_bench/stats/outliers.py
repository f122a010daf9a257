"""Runs that fell out of their row: a collapsed seed breaks every interval, so it is named."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, at_least, scores

FEWEST_SEEDS = 3
THRESHOLD = 5.0
"""In robust standard deviations; chosen by simulation, see docs/statistics.md."""
_MAD_TO_SD = 1.4826


def outlier_seeds(xs: Sequence[ArrayLike]) -> list[tuple[int, ...]]:
    """The seeds of each row whose mean is far from the median of the row's seeds.

    Far is `THRESHOLD` times the larger of three standard deviations: that of the row by the median absolute deviation,
    the median of these over the rows of the table (three seeds may agree by chance), and that which the interaction of
    seeds and items alone gives a seed's mean. With fewer than three seeds none stands
    apart from the others.

    Args:
        xs: for each row (seeds, clusters) scores from `reduce`.

    Returns:
        For each row the positions of such seeds, in rising order.

    Raises:
        ValueError: no row, or scores of wrong shape or that are not finite.
    """
    at_least(len(xs), 1, "rows")
    arrays = [scores(x, f"xs[{i}]") for i, x in enumerate(xs)]
    distances = [np.abs(x.mean(axis=1) - np.median(x.mean(axis=1))) for x in arrays]
    several = [d for d in distances if len(d) >= FEWEST_SEEDS]
    typical = float(np.median([_MAD_TO_SD * np.median(d) for d in several])) if several else 0.0
    return [_far(x, d, typical) if len(x) >= FEWEST_SEEDS else () for x, d in zip(arrays, distances, strict=True)]


def _far(x: Array, distance: Array, typical: float) -> tuple[int, ...]:
    interaction = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
    by_chance = float(np.sqrt(np.square(interaction).mean() / x.shape[1]))
    scale = max(_MAD_TO_SD * float(np.median(distance)), typical, by_chance)
    rounding = 1e-12 * float(np.abs(x).max())
    return tuple(np.flatnonzero(distance > max(THRESHOLD * scale, rounding)).tolist())
