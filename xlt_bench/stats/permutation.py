"""Exact permutation tests across seeds, for these very items."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, islice, product
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Integers, alpha_of, at_least, finite

MOST_SPLITS = 3_000_000
_SPLITS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class PermutationTest:
    """An exact two-sided test that two methods' seeds are exchangeable.

    Attributes:
        difference: mean of a less mean of b.
        p: share of all relabellings with a difference at least as large in size.
        least_p: the least p that so many seeds can reach, whatever the data: 2 / C(2S, S) for S against S seeds,
            1 / C(A + B, A) for A against B, 2 / 2^S for S pairs.
        relabellings: how many there are.
        decidable: whether `least_p` times the family size is at most alpha; if not, no data could have been
            significant after correction, and no verdict may be given.
        paired: whether the signs of paired differences were flipped instead of the labels.
        seeds_a: number of seeds of a.
        seeds_b: number of seeds of b.
    """

    difference: float
    p: float
    least_p: float
    relabellings: int
    decidable: bool
    paired: bool
    seeds_a: int
    seeds_b: int


def permutation_test(
    a: ArrayLike, b: ArrayLike, *, paired: bool = False, level: float = 0.95, family: int = 1
) -> PermutationTest:
    """Exact test of no difference across seeds; items and languages are taken as they are.

    Args:
        a: (seeds_a,) each seed's score, e.g. `reduce(y).mean(axis=1)`.
        b: (seeds_b,) likewise.
        paired: seed k of `a` and of `b` belong together: signs of the differences are flipped.
        level: alpha is 1 - level.
        family: number of comparisons that are corrected together.

    Raises:
        ValueError: wrong shape, values that are not finite, paired seeds that are not as many, a family below 1, or
            more than 3 million relabellings (use the two-way interval then).
    """
    a, b = finite(a, "a", 1), finite(b, "b", 1)
    at_least(family, 1, "family")
    if paired and len(a) != len(b):
        raise ValueError(f"paired seeds must be as many in a as in b, got {len(a)} and {len(b)}")
    total = 2 ** len(a) if paired else comb(len(a) + len(b), len(a))
    if total > MOST_SPLITS:
        raise ValueError(f"an exact test needs at most {MOST_SPLITS} relabellings, got {total}")
    differences = _flipped(a - b) if paired else _relabelled(a, b)
    difference = float(a.mean() - b.mean())
    threshold = abs(difference) - 1e-12 * max(np.abs(a).max(), np.abs(b).max())
    extreme = sum(int((np.abs(part) >= threshold).sum()) for part in differences)
    least = (2 if paired or len(a) == len(b) else 1) / total
    decidable = least * family <= alpha_of(level)
    return PermutationTest(difference, extreme / total, least, total, decidable, paired, len(a), len(b))


def _relabelled(a: Array, b: Array) -> Iterator[Array]:
    """Differences of means for every choice of which seeds are called a's, some at a time."""
    pooled = np.concatenate([a, b])
    choices = combinations(range(len(pooled)), len(a))
    while (chosen := _next_rows(choices, len(a))).size:
        of_a = pooled[chosen].sum(axis=1)
        yield of_a / len(a) - (pooled.sum() - of_a) / len(b)


def _flipped(differences: Array) -> Iterator[Array]:
    """Means of the differences for every choice of signs, some at a time."""
    choices = product((-1, 1), repeat=len(differences))
    while (signs := _next_rows(choices, len(differences))).size:
        yield (signs * differences).mean(axis=1)


def _next_rows(choices: Iterator[tuple[int, ...]], width: int) -> Integers:
    block = chain.from_iterable(islice(choices, _SPLITS_AT_ONCE))
    return np.fromiter(block, dtype=np.int64).reshape(-1, width)
