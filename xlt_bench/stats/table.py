"""The rows of a table as its tests see them: means, variances, and what all rows say of the luck of seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Array, Booleans, Positions, at_least, scores
from .components import components, item_variance, remaining_variance
from .interpolation import cubic
from .seed_spread import SeedSpread
from .step_down import step_down
from .student import Part, squared_t, two_sided_p

_MINUS_LOG_P = np.geomspace(1e-3, 60.0, 240)
_P = np.exp(-_MINUS_LOG_P)
"""Falling; p-values are found between these."""
_REFERENCE_P = np.array([0.005])
_FEWEST_DRAWS, _MOST_DRAWS, _STATISTICS = 4_000, 8_000, 2_000_000
_ROUNDING = 1e-12
_LEAST_SHARE = 0.1
"""Of V_cell, below which V_seed is taken for chance: seeds whose means happen to be equal do not have no variance."""


@dataclass(frozen=True)
class Table:
    """M methods on the same C clusters.

    Attributes:
        mean: (M,) means.
        by_cluster: (M, C) means over seeds.
        seeds: (M,) numbers of seeds.
        main: (M,) V_seed, 0 where seeds do not vary.
        cell: (M,) V_cell, 0 where seeds do not vary.
        varying: (M,) whether the method's runs differ.
        testable: (M,) False for one run of a method that is not deterministic.
        size: (M,) largest score in size, the measure of rounding.
        seed_spread: of single seeds, of the rows that vary.
    """

    mean: Array
    by_cluster: Array
    seeds: Array
    main: Array
    cell: Array
    varying: Booleans
    testable: Booleans
    size: Array
    seed_spread: SeedSpread

    @staticmethod
    def of(xs: Sequence[ArrayLike], deterministic: Sequence[bool] | None = None, *, alone: bool = False) -> "Table":
        """From scores (seeds, clusters) of each method; see `pairwise` for errors.

        Args:
            alone: how much the seeds of a row vary is known from that row and not from the others.
        """
        at_least(len(xs), 1, "methods")
        arrays = [scores(x, f"xs[{i}]") for i, x in enumerate(xs)]
        if len({x.shape[1] for x in arrays}) > 1:
            raise ValueError(f"all methods must have the same items, got {[x.shape[1] for x in arrays]} of them")
        fixed = [False] * len(xs) if deterministic is None else list(deterministic)
        if len(fixed) != len(xs):
            raise ValueError(f"deterministic must say of each of {len(xs)} methods, got {len(fixed)} values")
        rows = len(xs)
        mean, size, main, cell = np.empty(rows), np.empty(rows), np.zeros(rows), np.zeros(rows)
        by_cluster, varying = np.empty((rows, arrays[0].shape[1])), np.empty(rows, dtype=bool)
        seeds = np.array([len(x) for x in arrays])
        for count in np.unique(seeds):  # rows of as many seeds at once
            alike = np.flatnonzero(seeds == count)
            x = np.stack([arrays[row] for row in alike])
            mean[alike], size[alike], by_cluster[alike] = (
                x.mean(axis=(1, 2)),
                np.abs(x).max(axis=(1, 2)),
                x.mean(axis=1),
            )
            varying[alike] = np.ptp(x, axis=1).max(axis=1) > _ROUNDING * size[alike]
            run = components(x).seed
            if run is not None:
                main[alike] = np.where(varying[alike], run.main, 0.0)
                cell[alike] = np.where(varying[alike], run.cell, 0.0)
        single = (np.maximum(main, _LEAST_SHARE * cell) * seeds)[varying]
        return Table(
            mean,
            by_cluster,
            seeds,
            main,
            cell,
            varying,
            (seeds > 1) | np.array(fixed),
            size,
            SeedSpread.learnt(single, seeds[varying] - 1.0, 1.0 if alone else None),
        )

    def remaining(self, first: Positions, second: Positions) -> Array:
        """What varies between clusters in each pair's difference, beside V_seed of both: (pairs,)."""
        item = item_variance(self.by_cluster[first] - self.by_cluster[second])
        seed, cell = self.main[first] + self.main[second], self.cell[first] + self.cell[second]
        return remaining_variance(item, seed, cell)

    def seed_quantiles(self, p: Array) -> Array:
        """How far the luck of its seeds may move each row's mean, squared: (M, P) for two-sided p (P,)."""
        result = np.zeros((len(self.mean), len(p)))
        result[self.varying] = self.seed_spread.squared_quantiles(p) / self.seeds[self.varying, None]
        return result

    def squared_widths(self, first: Positions, second: Positions, p: Array) -> Array:
        """The squared half-width of each pair's interval at level 1 - p: (pairs, P)."""
        by_seed = self.seed_quantiles(p)
        result = by_seed[first]
        result += by_seed[second]
        result += self.remaining(first, second)[:, None] * squared_t(p, self.by_cluster.shape[1] - 1)
        return result

    def p_values(self, first: Positions, second: Positions) -> Array:
        """Two-sided p of each pair on its own: (pairs,); NaN where there is no test."""
        squared = np.square(self.mean[first] - self.mean[second])
        width = self.squared_widths(first, second, _P)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.clip(squared, width[:, 0], width[:, -1])
            minus_log_p = np.exp(cubic(np.log(distance), np.log(width), np.log(_MINUS_LOG_P)))
            near = np.sqrt(squared / width[:, 0])
        minus_log_p = np.where(near < 1, near * _MINUS_LOG_P[0], minus_log_p)
        return self._checked(first, second, np.exp(-minus_log_p), self.variance(first, second))

    def seeds_only_p_values(self, first: Positions, second: Positions) -> Array:
        """p of each pair for these very items, each row by itself: (pairs,); NaN where either is one run."""
        parts = [Part(self.main[rows], self.seeds[rows] - 1) for rows in (first, second)]
        p = two_sided_p(self.mean[first] - self.mean[second], parts)
        several = (self.seeds[first] > 1) & (self.seeds[second] > 1)
        return np.where(several, self._checked(first, second, p, self.main[first] + self.main[second]), np.nan)

    def adjusted_p_values(self, first: Positions, second: Positions, p: Array) -> Array:
        """p of each pair (pairs,) corrected for all of them, by step-down of the largest statistic."""
        tested = np.flatnonzero(np.isfinite(p))
        adjusted = p.copy()
        if len(tested) > 1:
            first, second = first[tested], second[tested]
            adjusted[tested] = np.maximum(p[tested], self._step_down(first, second))
        return adjusted

    def _step_down(self, first: Positions, second: Positions) -> Array:
        width = self.squared_widths(first, second, _REFERENCE_P)[:, 0]
        squared = np.square(self.mean[first] - self.mean[second])
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics = np.where(width > 0, squared / width, 0.0)
            scale = (1 / np.sqrt(np.where(width > 0, width, np.inf))).astype(np.float32)
        draws = int(np.clip(_STATISTICS // len(first), _FEWEST_DRAWS, _MOST_DRAWS))
        errors = self.draw_errors(draws)
        drawn = np.empty(draws, dtype=np.float32)

        def null(pair: int) -> NDArray[np.float32]:
            np.subtract(errors[first[pair]], errors[second[pair]], out=drawn)
            np.multiply(drawn, scale[pair], out=drawn)
            return np.square(drawn, out=drawn)

        return step_down(statistics, null, draws)

    def draw_errors(self, draws: int) -> NDArray[np.float32]:
        """How far each row's mean may be from its true mean, all rows at once: (M, draws).

        The same clusters, so errors of rows depend on each other. Rows are drawn for in the order of their means: the
        order in which they are given makes no difference.
        """
        rng = np.random.default_rng(0)
        rows, clusters = self.by_cluster.shape
        order = np.argsort(self.mean, kind="stable")
        deviation = self.by_cluster[order] - self.mean[order, None]
        covariance = deviation @ deviation.T / (clusters * (clusters - 1)) - np.diag(self.cell[order])
        values, vectors = np.linalg.eigh(covariance)
        # the symmetric root: rounding decides the signs of eigenvectors, and must not decide the draws
        root = ((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T).astype(np.float32)
        by_row = np.ascontiguousarray((rng.standard_normal((draws, rows), dtype=np.float32) @ root.T).T)
        by_row *= np.sqrt((clusters - 1) / rng.chisquare(clusters - 1, draws)).astype(np.float32)
        is_varying = self.varying[order]
        position = np.cumsum(self.varying) - 1
        spread = self.seed_spread.ordered(position[order[is_varying]])
        variance = spread.draw(rng, draws) / self.seeds[order[is_varying]]
        by_row[is_varying] += (rng.standard_normal(variance.shape, dtype=np.float32) * np.sqrt(variance)).T
        result = np.empty_like(by_row)
        result[order] = by_row
        return result

    def variance(self, first: Positions, second: Positions) -> Array:
        """V of each pair's difference: (pairs,)."""
        return self.main[first] + self.main[second] + self.remaining(first, second)

    def _checked(self, first: Positions, second: Positions, p: Array, variance: Array) -> Array:
        """p of testable pairs; where nothing varies beyond rounding, 1 for equal means and no test for others."""
        rounding = _ROUNDING * np.maximum(self.size[first], self.size[second])
        still = np.sqrt(variance) <= rounding
        equal = np.abs(self.mean[first] - self.mean[second]) <= rounding
        p = np.where(still, np.where(equal, 1.0, np.nan), p)
        return np.where(self.testable[first] & self.testable[second], p, np.nan)
