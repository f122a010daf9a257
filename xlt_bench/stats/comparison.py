"""Two methods on the same items: the difference, its interval and its test."""

from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from .arrays import Array, alpha_of, inside_unit, one_of, scores
from .bootstrap import Key, resampled_means
from .components import MeanVariance, same_items, seeds_only, seeds_only_difference, two_way, two_way_difference
from .intervals import METHODS, IntervalMethod, joined, percentile_summary, seed_note, t_summary

Verdict = Literal["better", "worse", "tie"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two means and how far it would move with other seeds and items.

    Attributes:
        difference: mean of a less mean of b, in the unit of the scores.
        low: lower bound of the difference, not clipped.
        high: upper bound.
        p: two-sided p-value of no difference, not corrected for other comparisons; 1 where nothing varied and the means
            are equal; None where nothing varied and they differ: no test can be made.
        df: degrees of freedom of the t distribution; None for the bootstrap and where nothing varied.
        level: nominal coverage; the verdict's alpha is 1 - level.
        method: how the interval was made.
        paired_seeds: whether seed k of a was paired with seed k of b.
        varied: what was treated as random: "seeds", "items" or both; "seeds of a" when b is one run.
        seeds_a: number of seeds of a.
        seeds_b: number of seeds of b.
        items: number of items, the same in both.
        verdict: "better" or "worse" (a than b) when p <= alpha, else "tie"; None without p. It stands for this
            comparison alone: correct a family's p with `holm` first.
        note: what a reader must know to trust the comparison rightly; None when nothing is unusual.
    """

    difference: float
    low: float
    high: float
    p: float | None
    df: float | None
    level: float
    method: IntervalMethod
    paired_seeds: bool
    varied: tuple[str, ...]
    seeds_a: int
    seeds_b: int
    items: int
    verdict: Verdict | None
    note: str | None


def compare(
    a: ArrayLike,
    b: ArrayLike,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    *,
    paired_seeds: bool = False,
    key: Key = 0,
    resamples: int = 10_000,
) -> Comparison:
    """The mean of `a` less the mean of `b`, with interval and test.

    Both are reduced over the same languages, so that they have the same items in the same order; items are always
    paired. Seeds are two samples unless declared as paired; then the one-method rule holds for a - b.

    Args:
        a: (seeds_a, items) scores from `reduce`.
        b: (seeds_b, items) scores from `reduce`.
        method: "two-way" (default), "bootstrap" or "seeds" (Welch's or the paired t test on means of seeds, for these
            very items).
        level: nominal coverage, in (0, 1).
        paired_seeds: seed k of `a` and of `b` share what a seed decides (data order, say); the caller passes the common
            seeds only, in the same order.
        key: what the bootstrap's draws follow from.
        resamples: of the bootstrap.

    Raises:
        ValueError: a value out of range, differing items, paired seeds that are not as many, one item ("two-way",
            "bootstrap"), or one seed ("seeds").
    """
    a, b = scores(a, "a"), scores(b, "b")
    inside_unit(level, "level")
    one_of(method, "method", METHODS)
    same_items(a, b)
    if paired_seeds and len(a) != len(b):
        raise ValueError(f"paired seeds must be as many in a as in b, got {len(a)} and {len(b)}")
    samples = [a - b] if paired_seeds else [a, b]
    difference, df = float(a.mean() - b.mean()), None
    if method == "bootstrap":
        means = resampled_means(samples, key=key, resamples=resamples)
        low, high, p = percentile_summary(means[0] if paired_seeds else means[0] - means[1], level, 0.0, a, b)
    else:
        low, high, p, df = t_summary(_mean_difference(samples, method), level, 0.0, a, b)
    names = [""] if paired_seeds else [" of a", " of b"]
    notes = [seed_note(method, len(x), name) for x, name in zip(samples, names, strict=True)]
    notes.append("no variance" if low == high else None)
    return Comparison(
        difference, low, high, p, df, level, method, paired_seeds, _varied(method, samples), len(a), len(b), a.shape[1],
        verdict_of(difference, p, alpha_of(level)), joined(notes),
    )  # fmt: skip


def verdict_of(difference: float, p: float | None, alpha: float) -> Verdict | None:
    """What a test at `alpha` says of a difference; None without a test."""
    if p is None:
        return None
    if p > alpha:
        return "tie"
    return "better" if difference > 0 else "worse"


def _mean_difference(samples: list[Array], method: IntervalMethod) -> MeanVariance:
    if len(samples) == 1:
        return two_way(samples[0]) if method == "two-way" else seeds_only(samples[0])
    return two_way_difference(*samples) if method == "two-way" else seeds_only_difference(*samples)


def _varied(method: IntervalMethod, samples: list[Array]) -> tuple[str, ...]:
    repeated = [len(x) > 1 for x in samples]
    if all(repeated):
        seeds: tuple[str, ...] = ("seeds",)
    else:
        seeds = tuple(f"seeds of {name}" for name, several in zip("ab", repeated, strict=False) if several)
    return seeds if method == "seeds" else (*seeds, "items")
