"""The interval of one method's mean over a language group."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, inside_unit, one_of, scores, vanishes
from .bootstrap import FEWEST_SEEDS, Key, percentile_bounds, percentile_p, resampled_means
from .bounds import exact_shortfall
from .components import MeanVariance, seeds_only, two_way
from .student import half_width, two_sided_p

IntervalMethod = Literal["two-way", "bootstrap", "seeds"]
METHODS = ("two-way", "bootstrap", "seeds")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and how far it would move with other seeds and items.

    Attributes:
        estimate: the mean over seeds and clusters, in the unit of the scores.
        low: lower bound. Bounds are not clipped to the range of the score: near 0 or 1 a t interval can pass it, and
            hiding that is a choice for whoever displays it.
        high: upper bound.
        p: two-sided p-value of the `null` that was asked about; None without one, for one run of a method whose runs
            may differ, and where nothing varied and the estimate differs from it.
        level: nominal coverage.
        method: how the interval was made.
        varied: what was treated as random: "seeds", "items" or both.
        seeds: number of seeds.
        clusters: number of clusters of items; of items, where each is a cluster of its own.
        note: what a reader must know to trust the interval rightly; None when nothing is unusual.
    """

    estimate: float
    low: float
    high: float
    p: float | None
    level: float
    method: IntervalMethod
    varied: tuple[str, ...]
    seeds: int
    clusters: int
    note: str | None


def interval(
    x: ArrayLike,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    *,
    null: float | None = None,
    deterministic: bool = False,
    limits: tuple[float, float] | None = None,
    key: Key = 0,
    resamples: int = 10_000,
) -> Interval:
    """The mean of reduced scores with its interval.

    "two-way" (default): random over seeds and clusters, half-width sqrt(V_seed t^2(S - 1) + (V - V_seed) t^2(C - 1)),
    see `components` and `student`. "bootstrap": seeds and clusters resampled jointly, percentile interval. "seeds":
    random over seeds only, for these very items. One run has no variance between seeds: its interval is that of this
    run over items, and its note says so.

    Args:
        x: (seeds, clusters) scores from `reduce`.
        method: see above.
        level: nominal coverage, in (0, 1).
        null: a value to test the mean against.
        deterministic: the answers do not depend on a seed (stored answers, a fixed rule): one run is all of it.
        limits: the least and the largest possible score. Where nothing varies and the mean is at one of them, the
            interval reaches from there to the exact bound by cluster (`exact_shortfall`) in place of having no width.
        key: what the bootstrap's draws follow from.
        resamples: of the bootstrap.

    Raises:
        ValueError: a value out of range, one cluster ("two-way", "bootstrap"), or one seed ("seeds").
    """
    x = scores(x)
    inside_unit(level, "level")
    one_of(method, "method", METHODS)
    seeds, clusters = x.shape
    if method == "bootstrap":
        estimate = float(x.mean())
        (resampled,) = resampled_means([x], key=key, resamples=resamples)
        low, high, p = percentile_summary(resampled, level, null, x)
    else:
        mean = two_way(x) if method == "two-way" else seeds_only(x)
        estimate = float(mean.estimate)
        low, high, p = t_summary(mean, level, null, x)
    one_run = seeds == 1 and not deterministic
    notes = [seed_note(method, seeds, deterministic), "no variance" if low == high else None]
    if low == high and limits is not None:
        low, high = _at_limit(low, limits, clusters, level)
        notes[1] = f"exact bound from {clusters} clusters" if low < high else notes[1]
    varied = ("seeds",) if method == "seeds" else ("seeds", "items") if seeds > 1 else ("items",)
    p = None if one_run else p
    return Interval(estimate, low, high, p, level, method, varied, seeds, clusters, joined(notes))


def _at_limit(estimate: float, limits: tuple[float, float], clusters: int, level: float) -> tuple[float, float]:
    """The exact bound where the estimate is one of the limits; else the estimate twice."""
    least, largest = limits
    reach = (largest - least) * exact_shortfall(clusters, level)
    scale = np.array([largest - least])
    if vanishes(estimate - least, scale):
        return least, least + reach
    return (largest - reach, largest) if vanishes(estimate - largest, scale) else (estimate, estimate)


def t_summary(mean: MeanVariance, level: float, null: float | None, *data: Array) -> tuple[float, float, float | None]:
    """Bounds and p of one mean; where nothing varied: the estimate twice, p 1 if it equals `null` else None."""
    estimate = float(mean.estimate)
    distance = None if null is None else estimate - null
    if vanishes(np.sqrt(mean.variance), *data):
        equal = distance is not None and vanishes(distance, *data)
        return estimate, estimate, 1.0 if equal else None
    width = float(half_width(mean.parts, level))
    p = None if distance is None else float(two_sided_p(np.asarray(distance), mean.parts))
    return estimate - width, estimate + width, p


def percentile_summary(
    resampled: Array, level: float, null: float | None, *data: Array
) -> tuple[float, float, float | None]:
    """Bounds and p of one resampled statistic, with the same rule as `t_summary` where nothing varied."""
    if vanishes(np.ptp(resampled), *data):
        centre = float(resampled.mean())
        equal = null is not None and vanishes(centre - null, *data)
        return centre, centre, 1.0 if equal else None
    low, high = percentile_bounds(resampled, level)
    return float(low), float(high), None if null is None else float(percentile_p(resampled, null))


def seed_note(method: str, seeds: int, deterministic: bool = False, of: str = "") -> str | None:
    """What to say about the number of seeds, if anything."""
    if seeds == 1:
        return None if deterministic else f"one run{of}"
    if method == "bootstrap" and seeds < FEWEST_SEEDS:
        return f"bootstrap from {seeds} seeds{of}: too narrow"
    return None


def joined(notes: list[str | None]) -> str | None:
    """The notes that say something, as one line."""
    return "; ".join(note for note in notes if note) or None
