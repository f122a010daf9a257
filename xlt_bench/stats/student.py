"""Student's t with fractional degrees of freedom (scipy.special: scipy.stats takes half a second to import)."""

import numpy as np

from .arrays import Array


def half_width(variance: Array, df: Array, level: float) -> Array:
    """Half the width of the two-sided t interval; arguments and result (...), in the unit of the estimate."""
    from scipy.special import stdtrit

    width: Array = np.asarray(stdtrit(df, (1 + level) / 2) * np.sqrt(variance))
    return width


def two_sided_p(distance: Array, variance: Array, df: Array) -> Array:
    """P(|T| >= |distance| / sqrt(variance)) for T with `df` degrees of freedom; all (...)."""
    from scipy.special import stdtr

    p: Array = np.asarray(2 * stdtr(df, -np.abs(distance) / np.sqrt(variance)))
    return p
