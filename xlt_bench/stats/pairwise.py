"""Every pair of several methods at once: what `compare` says of each, many times faster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, at_least, one_of, scores
from .components import components
from .student import two_sided_p


def pairwise(xs: Sequence[ArrayLike], method: Literal["two-way", "seeds"] = "two-way") -> tuple[Array, Array]:
    """Differences of means and their uncorrected two-sided p-values, as `compare` gives them pair by pair.

    Args:
        xs: M arrays (seeds, items) from `reduce`: the same items in the same order, seeds of each method's own.
        method: as in `compare`.

    Returns:
        (M, M) mean of the row's method less that of the column's, and (M, M) p-values: symmetric, NaN on the diagonal
        and where no test can be made.

    Raises:
        ValueError: no method, differing items, fewer than two items, or another method.
    """
    one_of(method, "method", ("two-way", "seeds"))
    at_least(len(xs), 1, "methods")
    arrays = [scores(x, f"xs[{i}]") for i, x in enumerate(xs)]
    if len({x.shape[1] for x in arrays}) > 1:
        raise ValueError(f"all methods must have the same items, got {[x.shape[1] for x in arrays]} of them")
    seeds = _Seeds.of(arrays)
    by_item = np.stack([x.mean(axis=0) for x in arrays])
    scale = np.array([np.abs(x).max() for x in arrays])
    differences, p = np.zeros((len(xs), len(xs))), np.full((len(xs), len(xs)), np.nan)
    for i in range(len(xs) - 1):
        rest = slice(i + 1, None)
        gaps = by_item[i] - by_item[rest]
        variance, df = seeds.two_way(i, rest, gaps) if method == "two-way" else seeds.alone(i, rest)
        differences[i, rest] = gaps.mean(axis=1)
        p[i, rest] = _p(differences[i, rest], variance, df, 1e-12 * np.maximum(scale[i], scale[rest]))
    lower = np.tril_indices(len(xs), k=-1)
    differences[lower], p[lower] = -differences.T[lower], p.T[lower]
    return differences, p


@dataclass(frozen=True)
class _Seeds:
    """V_seed, V_cell and S - 1 of each method (M,); one run has neither variance, and no degree of freedom."""

    main: Array
    cell: Array
    free: Array

    @staticmethod
    def of(arrays: Sequence[Array]) -> "_Seeds":
        found = [components(x).seed for x in arrays]
        main, cell = (
            np.array([0.0 if run is None else float(getattr(run, name)) for run in found]) for name in ("main", "cell")
        )
        return _Seeds(main, cell, np.array([len(x) - 1.0 for x in arrays]))

    def two_way(self, i: int, rest: slice, gaps: Array) -> tuple[Array, Array]:
        """Variance and degrees of freedom of method i less each of the rest; `gaps` (rest, items)."""
        items = gaps.shape[1]
        item = gaps.var(axis=1, ddof=1) / items
        seed = self.main[i] + self.main[rest]
        variance = np.maximum(seed + item - self.cell[i] - self.cell[rest], np.maximum(seed, item))
        return variance, _satterthwaite(variance, item**2 / (items - 1) + self._spread(i) + self._spread(rest))

    def alone(self, i: int, rest: slice) -> tuple[Array, Array]:
        """The same with items taken as they are (Welch); NaN where either method is one run."""
        variance = np.where((self.free[i] > 0) & (self.free[rest] > 0), self.main[i] + self.main[rest], np.nan)
        return variance, _satterthwaite(variance, self._spread(i) + self._spread(rest))

    def _spread(self, which: int | slice) -> Array:
        return np.asarray(self.main[which] ** 2 / np.maximum(self.free[which], 1.0))


def _satterthwaite(variance: Array, spread: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(variance**2 / spread)


def _p(difference: Array, variance: Array, df: Array, rounding: Array) -> Array:
    """As `compare`: where nothing varies beyond rounding, 1 for equal means and no test for others."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p = two_sided_p(difference, variance, df)
        still = np.sqrt(variance) <= rounding
    equal = np.abs(difference) <= rounding
    return np.where(still, np.where(equal, 1.0, np.nan), p)
