"""How much seeds vary: what the rows of a table say together, where each row alone has few seeds.

Two or three seeds hardly tell a variance: a row whose seeds happen to agree looks sure of itself. As in limma (Smyth
2004, "Linear models and empirical Bayes methods for assessing differential expression"), the rows' variances between
seeds are taken to come from one scaled inverse chi-squared distribution (d0 degrees of freedom, scale s0^2), which
moderates each row's own estimate s^2 (d degrees of freedom):

    (d0 s0^2 + d s^2) / (d0 + d)    with d0 + d degrees of freedom.

Two things differ from limma, both since a table has 2 to 100 rows and not thousands of genes. The distribution's d0
and s0^2 are not estimated but averaged over a grid, each weighted by how well it explains the rows. And a row may be
unlike the others, with a probability (`prior_unlike`) that is large where there are few rows to compare with: then its
variance may be anything (log-uniform), and s^2 with its own d degrees of freedom is all that is known of it; compare
Phipson et al. (2016), "Robust hyperparameter estimation".
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, Positions
from .mixture import Mixtures
from .student import squared_t

PRIOR_DF = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 40.0])
PRIOR_LOG_SCALE = np.linspace(-3.5, 3.5, 15)
"""Around the median of the rows' log variances."""
UNLIKE_DENSITY = 1 / 9
"""Of the log variance of a row that is unlike the others: flat over four decades."""
_NEGLIGIBLE = 1e-3


def prior_unlike(df: Array) -> Array:
    """The probability that each row's seeds vary unlike those of the others, before any data: (R,).

    1.25 m / (R sqrt(d)) with d the row's degrees of freedom and m their mean over the R rows, at most 1. Rows with more
    seeds speak for themselves and need the others less, so they are trusted less to be like them; a row with fewer
    seeds than the others would borrow most of what is claimed of it, so it is trusted less again. The constant was
    chosen by simulation, see docs/statistics.md.

    Args:
        df: (R,) seeds less one of each row.
    """
    return np.asarray(np.minimum(1.0, 1.25 * df.sum() / (max(len(df), 1) ** 2 * np.sqrt(df))))


@dataclass(frozen=True)
class SeedSpread:
    """What is known of the variances between single seeds of R rows: a mixture of scaled inverse chi-squared ones.

    Attributes:
        variance: (R,) each row's own estimate.
        df: (R,) its degrees of freedom, seeds less one.
        weight: (G,) of each (d0, s0^2) of the grid, given all rows.
        moderated: (R, G) moderated variance of a row like the others; it has df + `prior_df` degrees of freedom.
        prior_df: (G,) d0.
        unlike: (R, G) probability that the row is unlike the others.
    """

    variance: Array
    df: Array
    weight: Array
    moderated: Array
    prior_df: Array
    unlike: Array

    @staticmethod
    def learnt(variance: Array, df: Array, prior: float | None = None) -> "SeedSpread":
        """From each row's variance between seeds (R,), above 0, and its degrees of freedom (R,).

        Args:
            prior: probability before any data that a row is unlike the others; default: `prior_unlike`.
        """
        rows = len(variance)
        prior_probability = (prior_unlike(df) if prior is None else np.full(rows, prior))[:, None]
        centre = float(np.median(np.log(variance))) if rows else 0.0
        prior_df, log_scale = (grid.ravel() for grid in np.meshgrid(PRIOR_DF, centre + PRIOR_LOG_SCALE))
        density = _log_variance_density(np.log(variance)[:, None] - log_scale, df[:, None], prior_df)
        unlike = prior_probability * UNLIKE_DENSITY
        evidence = (1 - prior_probability) * density + unlike
        log_weight = np.log(evidence).sum(axis=0)
        weight = np.exp(log_weight - log_weight.max())
        relevant = weight > _NEGLIGIBLE * weight.max()
        weight, prior_df, log_scale = weight[relevant], prior_df[relevant], log_scale[relevant]
        moderated = (prior_df * np.exp(log_scale) + (df * variance)[:, None]) / (prior_df + df[:, None])
        return SeedSpread(variance, df, weight / weight.sum(), moderated, prior_df, unlike / evidence[:, relevant])

    def ordered(self, rows: Positions) -> "SeedSpread":
        """The same with rows in another order."""
        return SeedSpread(
            variance=self.variance[rows],
            df=self.df[rows],
            weight=self.weight,
            moderated=self.moderated[rows],
            prior_df=self.prior_df,
            unlike=self.unlike[rows],
        )

    def draw(self, rng: np.random.Generator, draws: int) -> NDArray[np.float32]:
        """Variances that the rows may have: (draws, R)."""
        point = rng.choice(len(self.weight), size=draws, p=self.weight)
        shape = (draws, len(self.variance))
        is_unlike = rng.random(shape, dtype=np.float32) < self.unlike[:, point].T
        df = np.where(is_unlike, self.df, self.df + self.prior_df[point, None])
        scale = np.where(is_unlike, self.variance, self.moderated[:, point].T)
        chi_squared = 2 * rng.standard_gamma((df / 2).astype(np.float32), dtype=np.float32)
        return np.asarray(scale * df / chi_squared, dtype=np.float32)

    def squared_quantiles(self, p: Array) -> Array:
        """How far a single seed may be from its row's true mean, squared: (R, P) for two-sided p (P,)."""
        result = np.empty((len(self.variance), len(p)))
        is_alone = (self.unlike == 1).all(axis=1)
        for df in np.unique(self.df[is_alone]):
            rows = is_alone & (self.df == df)
            result[rows] = self.variance[rows, None] * squared_t(p, df)
        if not is_alone.all():
            result[~is_alone] = self._mixtures.squared_quantiles(p)
        return result

    @cached_property
    def _mixtures(self) -> Mixtures:
        """Of the rows that are not certainly unlike the others."""
        rows = np.flatnonzero((self.unlike < 1).any(axis=1))
        unlike, df = self.unlike[rows], self.df[rows, None]
        unlike_weight = np.array([[self.weight @ self.unlike[row]] for row in rows])
        return Mixtures(
            weight=np.concatenate([self.weight * (1 - unlike), unlike_weight], axis=1),
            squared_scale=np.concatenate([self.moderated[rows], self.variance[rows, None]], axis=1),
            df=np.concatenate([df + self.prior_df, df], axis=1),
        )


def _log_variance_density(log_ratio: Array, df: Array, prior_df: Array) -> Array:
    """Density of log s^2 where s^2 / s0^2 has an F distribution (df, prior_df); `log_ratio` is log(s^2 / s0^2)."""
    from scipy.special import betaln

    ratio = df / prior_df
    log_density = df / 2 * (log_ratio + np.log(ratio)) - (df + prior_df) / 2 * np.log1p(ratio * np.exp(log_ratio))
    return np.asarray(np.exp(log_density - betaln(df / 2, prior_df / 2)))
