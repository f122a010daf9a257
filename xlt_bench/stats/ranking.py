"""Who is better than whom: ranks with intervals, and letters that show ties."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Booleans, Integers, alpha_of, at_least, finite, inside_unit, probabilities
from .corrections import holm


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks of M methods (1 is best).

    Attributes:
        rank: (M,) 1 + the number of methods significantly better.
        worst: (M,) M - the number of methods significantly worse. As long as no significant difference is false, which
            happens with a probability of about `level`, every method's true rank lies between `rank` and `worst`.
        letters: for each method, letters such that two methods share one exactly when no significant difference was
            found between them; a belongs to the best.
    """

    rank: Integers
    worst: Integers
    letters: tuple[str, ...]


def rank_methods(differences: ArrayLike, adjusted_p: ArrayLike, level: float = 0.95) -> Ranking:
    """Ranks from all pairwise comparisons, whose p-values are corrected for their number already.

    Args:
        differences: (M, M) mean of the row's method less that of the column's, from `pairwise`.
        adjusted_p: (M, M) its p-values after correction (of `pairwise`, or `holm_pairs`), symmetric, NaN where no test
            could be made: such a pair counts as tied. The diagonal is not read.
        level: 1 - alpha.

    Raises:
        ValueError: shapes that are not the same square, differences that are not antisymmetric, p-values that are not
            symmetric or outside [0, 1].
    """
    gaps, p = finite(differences, "differences", 2), probabilities(adjusted_p)
    if gaps.shape != p.shape or len(gaps) != gaps.shape[1]:
        raise ValueError(f"differences and p must be the same square, got shapes {gaps.shape} and {p.shape}")
    pairs = np.triu_indices(len(gaps), k=1)
    if not np.allclose(gaps, -gaps.T) or not np.array_equal(p[pairs], p.T[pairs], equal_nan=True):
        raise ValueError("differences must be antisymmetric and p symmetric")
    better = (p <= alpha_of(level)) & (gaps > 0)
    rank, worst = 1 + better.sum(axis=0), len(better) - better.sum(axis=1)
    return Ranking(rank, worst, tie_letters(better, gaps.mean(axis=1)))


def holm_pairs(p: ArrayLike, extra_tests: int = 0) -> Array:
    """Holm's correction over all pairs of methods.

    Args:
        p: (M, M) symmetric p-values, NaN where no test could be made; the diagonal is not read.
        extra_tests: as in `holm`.

    Returns:
        (M, M) adjusted p-values, NaN on the diagonal and where no test was made.

    Raises:
        ValueError: not a square, or a value outside [0, 1].
    """
    raw = probabilities(p)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise ValueError(f"p must be a square, got shape {raw.shape}")
    pairs = np.triu_indices(len(raw), k=1)
    adjusted = np.full_like(raw, np.nan)
    adjusted[pairs] = holm(raw[pairs], extra_tests)
    adjusted.T[pairs] = adjusted[pairs]
    return adjusted


def tie_letters(better: Booleans, scores: ArrayLike) -> tuple[str, ...]:
    """Letters such that two methods share one exactly when neither is significantly better.

    Source: Piepho (2004), "An algorithm for a letter-based representation of all-pairwise comparisons". A letter is a
    largest set of methods of which no two differ; the sets are found by Bron & Kerbosch's (1973) search for maximal
    cliques, which with hundreds of methods is much faster than Piepho's insertion and absorption and finds the same.

    Args:
        better: (M, M) whether the row's method is significantly better than the column's.
        scores: (M,) values by which letters are ordered, the best first.

    Raises:
        ValueError: `better` is not square, or has another size than `scores`.
    """
    differs = np.asarray(better, dtype=bool)
    values = finite(scores, "scores", 1)
    if differs.shape != (len(values), len(values)):
        raise ValueError(f"better must be square and as large as scores, got {differs.shape} and {len(values)}")
    tied = ~(differs | differs.T)
    neighbours = [frozenset(np.flatnonzero(row).tolist()) - {method} for method, row in enumerate(tied)]
    groups = list(_cliques(frozenset(), frozenset(range(len(values))), frozenset(), neighbours))
    best_first = np.argsort(np.argsort(-values, kind="stable"))
    groups.sort(key=lambda group: sorted(int(best_first[method]) for method in group))
    return tuple(
        "".join(_letter(k) for k, group in enumerate(groups) if method in group) for method in range(len(values))
    )


def ranks(values: ArrayLike) -> Array:
    """Ranks over the first axis, 1 for the highest, ties at the mean of their ranks.

    Args:
        values: (methods, ...) scores, e.g. (methods, languages, resamples).

    Returns:
        The same shape. Its mean over languages is each method's mean rank.

    Raises:
        ValueError: no methods, or values that are not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    array = finite(array, "values", max(1, array.ndim))
    result = np.empty_like(array)
    for method, values_of_method in enumerate(array):
        ties = (array == values_of_method).sum(axis=0)
        result[method] = (array > values_of_method).sum(axis=0) + ties / 2 + 0.5
    return result


def rank_intervals(resampled: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Percentile intervals of ranks, each method on its own.

    Args:
        resampled: (methods, resamples) one statistic of all methods under the same draws of items.
        level: nominal coverage.

    Returns:
        Lowest and highest rank (methods,), 1 is best; ties share the mean of their ranks.

    Raises:
        ValueError: wrong shape, values that are not finite, or a level outside (0, 1).
    """
    ranked = ranks(finite(resampled, "resampled", 2))
    at_least(len(ranked), 2, "methods to rank")
    tail = (1 - inside_unit(level, "level")) / 2
    low, high = np.quantile(ranked, [tail, 1 - tail], axis=1, method="inverted_cdf")
    return low, high


def _cliques(
    chosen: frozenset[int], possible: frozenset[int], excluded: frozenset[int], neighbours: Sequence[frozenset[int]]
) -> Iterator[frozenset[int]]:
    """The largest sets of mutual neighbours that hold `chosen`, some of `possible` and none of `excluded`."""
    if not possible and not excluded:
        yield chosen
        return
    pivot = max(possible | excluded, key=lambda method: len(neighbours[method] & possible))
    for method in sorted(possible - neighbours[pivot]):
        near = neighbours[method]
        yield from _cliques(chosen | {method}, possible & near, excluded & near, neighbours)
        possible, excluded = possible - {method}, excluded | {method}


def _letter(k: int) -> str:
    return ascii_letters[k % len(ascii_letters)] + "'" * (k // len(ascii_letters))
