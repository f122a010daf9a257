"""Corrections for several tests at once."""

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Booleans, Positions, at_least, probabilities


def holm(p: ArrayLike, extra_tests: int = 0) -> Array:
    """Holm's step-down adjustment: where each p holds its level, the chance of any false finding is at most alpha.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".

    Args:
        p: (tests,) p-values; NaN where no test could be made: it stays NaN and does not count towards the family.
        extra_tests: further tests of the family whose p-values are not among these, such as those of earlier versions
            of a method that are no longer shown: they count throughout, as if no difference were found in them.

    Returns:
        (tests,) adjusted p-values: a test is significant at alpha when its adjusted p is at most alpha.

    Raises:
        ValueError: not one axis, a value outside [0, 1], or a negative number of extra tests.
    """
    at_least(extra_tests, 0, "extra_tests")
    values, tested, order = _sorted(p)
    remaining = np.arange(len(order), 0, -1) + extra_tests
    adjusted = np.minimum(1.0, np.maximum.accumulate(remaining * values[tested][order]))
    return _put_back(adjusted, values, tested, order)


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Benjamini and Hochberg's step-up adjustment: the expected share of false findings stays below alpha.

    Source: Benjamini & Hochberg (1995), "Controlling the false discovery rate".

    Args:
        p: (tests,) p-values; NaN where no test could be made: it stays NaN and does not count towards the family.

    Returns:
        (tests,) adjusted p-values.

    Raises:
        ValueError: not one axis, or a value outside [0, 1].
    """
    values, tested, order = _sorted(p)
    scaled = values[tested][order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    return _put_back(adjusted, values, tested, order)


def _sorted(p: ArrayLike) -> tuple[Array, Booleans, Positions]:
    values = probabilities(p)
    if values.ndim != 1:
        raise ValueError(f"p must have one axis, got shape {values.shape}")
    tested = ~np.isnan(values)
    return values, tested, np.argsort(values[tested], kind="stable")


def _put_back(adjusted: Array, values: Array, tested: Booleans, order: Positions) -> Array:
    unsorted = np.empty_like(adjusted)
    unsorted[order] = adjusted
    result = values.copy()
    result[tested] = unsorted
    return result
