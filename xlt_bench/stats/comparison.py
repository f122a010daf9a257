"""Two methods on the same items: the difference, its interval and its test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, alpha_of, inside_unit, one_of, scores, vanishes
from .bootstrap import Key, resampled_means
from .components import same_clusters, seeds_only, seeds_only_difference, two_way
from .intervals import METHODS, IntervalMethod, joined, percentile_summary, seed_note, t_summary
from .table import Table

Verdict = Literal["better", "worse", "tie"]
FOR_THESE_ANSWERS = "inference for these answers: no runs that differ"


@dataclass(frozen=True, slots=True)
class PairComparison:
    """A difference of two means and how far it would move with other seeds and items.

    Attributes:
        difference: mean of a less mean of b, in the unit of the scores.
        low: lower bound of the difference, not clipped.
        high: upper bound.
        p: two-sided p-value of no difference, not corrected for other comparisons; 1 where nothing varied and the means
            are equal; None where no test can be made: nothing varied and they differ, or one of them is one run of a
            method whose runs may differ.
        level: nominal coverage; the verdict's alpha is 1 - level.
        method: how the interval was made.
        paired_seeds: whether seed k of a was paired with seed k of b.
        varied: what was treated as random: "seeds", "items" or both; "seeds of a" when b's runs do not differ.
        seeds_a: number of seeds of a.
        seeds_b: number of seeds of b.
        clusters: number of clusters of items, the same in both; of items, where each is a cluster of its own.
        verdict: "better" or "worse" (a than b) when p <= alpha, else "tie"; None without p. It stands for this
            comparison alone: correct a family's p with `holm` first.
        note: what a reader must know to trust the comparison rightly; None when nothing is unusual.
    """

    difference: float
    low: float
    high: float
    p: float | None
    level: float
    method: IntervalMethod
    paired_seeds: bool
    varied: tuple[str, ...]
    seeds_a: int
    seeds_b: int
    clusters: int
    verdict: Verdict | None
    note: str | None


def compare(
    a: ArrayLike,
    b: ArrayLike,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    *,
    paired_seeds: bool = False,
    deterministic: tuple[bool, bool] = (False, False),
    further_rows: Sequence[ArrayLike] = (),
    key: Key = 0,
    resamples: int = 10_000,
) -> PairComparison:
    """The mean of `a` less the mean of `b`, with interval and test.

    Both are reduced over the same languages, so that they have the same items in the same order; items are always
    paired. Seeds are two samples unless declared as paired; then the one-method rule holds for a - b. The two-way p is
    that of `pairwise` for the same rows.

    Args:
        a: (seeds_a, clusters) scores from `reduce`.
        b: (seeds_b, clusters) scores from `reduce`.
        method: "two-way" (default), "bootstrap" or "seeds" (for these very items).
        level: nominal coverage, in (0, 1).
        paired_seeds: seed k of `a` and of `b` share what a seed decides (data order, say); the caller passes the common
            seeds only, in the same order.
        deterministic: whether the answers of a and of b do not depend on a seed; see `pairwise`.
        further_rows: further rows (seeds, clusters) of the same table: "two-way" learns from them how much seeds vary.
        key: what the bootstrap's draws follow from.
        resamples: of the bootstrap.

    Raises:
        ValueError: a value out of range, differing items, paired seeds that are not as many or that are one, one
            cluster ("two-way", "bootstrap"), or one seed ("seeds").
    """
    a, b = scores(a, "a"), scores(b, "b")
    inside_unit(level, "level")
    one_of(method, "method", METHODS)
    same_clusters(a, b)
    if paired_seeds and len(a) != len(b):
        raise ValueError(f"paired seeds must be as many in a as in b, got {len(a)} and {len(b)}")
    samples = [a - b] if paired_seeds else [a, b]
    fixed = [all(deterministic)] if paired_seeds else list(deterministic)
    difference = float(a.mean() - b.mean())
    low, high, p = _summary(samples, fixed, method, level, further_rows, key, resamples, (a, b))
    names = [""] if paired_seeds else [" of a", " of b"]
    notes = [seed_note(method, len(x), is_fixed, name) for x, is_fixed, name in zip(samples, fixed, names, strict=True)]
    if any(len(x) == 1 and not is_fixed for x, is_fixed in zip(samples, fixed, strict=True)):
        p = None
        notes.append("no test")
    varied = _varied(method, samples)
    notes.append(FOR_THESE_ANSWERS if varied == ("items",) and p is not None else None)
    notes.append("no variance" if low == high else None)
    return PairComparison(
        difference, low, high, p, level, method, paired_seeds, varied, len(a), len(b), a.shape[1],
        verdict_of(difference, p, alpha_of(level)), joined(notes),
    )  # fmt: skip


def verdict_of(difference: float, p: float | None, alpha: float) -> Verdict | None:
    """What a test at `alpha` says of a difference; None without a test."""
    if p is None:
        return None
    if p > alpha:
        return "tie"
    return "better" if difference > 0 else "worse"


def _summary(
    samples: Sequence[Array],
    deterministic: Sequence[bool],
    method: IntervalMethod,
    level: float,
    further_rows: Sequence[ArrayLike],
    key: Key,
    resamples: int,
    data: tuple[Array, Array],
) -> tuple[float, float, float | None]:
    """Bounds and p of the difference of two samples, or of one sample of paired differences."""
    if method == "bootstrap":
        means = resampled_means(samples, key=key, resamples=resamples)
        return percentile_summary(means[0] - means[1] if len(means) == 2 else means[0], level, 0.0, *data)
    if len(samples) == 1:
        return t_summary(two_way(samples[0]) if method == "two-way" else seeds_only(samples[0]), level, 0.0, *data)
    if method == "seeds":
        return t_summary(seeds_only_difference(*samples), level, 0.0, *data)
    table = Table.of([*samples, *further_rows], [*deterministic, *(False for _ in further_rows)])
    first, second = np.array([0]), np.array([1])
    difference = float(table.mean[0] - table.mean[1])
    (p,) = table.p_values(first, second)
    width = float(np.sqrt(table.squared_widths(first, second, np.array([alpha_of(level)])))[0, 0])
    width = 0.0 if vanishes(width, *data) else width
    return difference - width, difference + width, None if np.isnan(p) else float(p)


def _varied(method: IntervalMethod, samples: list[Array]) -> tuple[str, ...]:
    differing = [bool(np.ptp(x, axis=0).any()) for x in samples]
    if all(differing):
        seeds: tuple[str, ...] = ("seeds",)
    else:
        seeds = tuple(f"seeds of {name}" for name, differs in zip("ab", differing, strict=False) if differs)
    return seeds if method == "seeds" else (*seeds, "items")
