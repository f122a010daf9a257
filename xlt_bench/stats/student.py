"""Student's t for an estimate whose variance is a sum of parts, each known with degrees of freedom of its own.

    |distance| <= sqrt(sum over parts of V_k t^2(df_k))

with t(df) the two-sided quantile. The sum holds its level for normal data whatever the true variances are (Banerjee
1961): the distribution function F of a chi-squared with one degree of freedom is concave, so with true shares w_k of
the variance P(hold) = E F(sum w_k V_k t_k^2 / true V_k) >= sum w_k E F(V_k t_k^2 / true V_k) = level. Satterthwaite's
single df for the sum has no such guarantee: it explodes when a part with few degrees of freedom comes out too small.

(scipy.special: scipy.stats takes half a second to import.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array

SMALLEST_P = 1e-100
_HALVINGS = 55


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an estimate's variance.

    Attributes:
        variance: (...) in the squared unit of the estimate.
        df: degrees of freedom with which it is known; one number, or (...).
    """

    variance: Array
    df: Array | float


def total_variance(parts: Sequence[Part]) -> Array:
    """The variance of the estimate: (...)."""
    return np.asarray(sum(part.variance for part in parts))


def half_width(parts: Sequence[Part], level: float) -> Array:
    """Half the width of the two-sided interval (...), in the unit of the estimate."""
    return np.sqrt(_squared_width(parts, np.asarray(1 - level)))


def two_sided_p(distance: Array, parts: Sequence[Part]) -> Array:
    """The p at which the interval just reaches `distance` (...): 1 at distance 0, `SMALLEST_P` at least.

    NaN where the variance is 0.
    """
    squared = np.square(distance)
    low = np.full(np.broadcast_shapes(squared.shape, *(part.variance.shape for part in parts)), np.log(SMALLEST_P))
    high = np.zeros_like(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_wide = _squared_width(parts, np.exp(middle)) > squared
        low, high = np.where(too_wide, middle, low), np.where(too_wide, high, middle)
    p = np.where(squared == 0, 1.0, np.exp(high))
    return np.asarray(np.where(total_variance(parts) > 0, p, np.nan))


def squared_t(p: Array | float, df: Array | float) -> Array:
    """The squared two-sided quantile of Student's t: P(T^2 >= it) = p; (...)."""
    from scipy.special import stdtrit

    return np.asarray(np.square(stdtrit(df, p / 2)))


def _squared_width(parts: Sequence[Part], p: Array) -> Array:
    return np.asarray(sum(part.variance * squared_t(p, part.df) for part in parts))
