"""Which of many dependent tests stand together: step-down of the largest statistic.

Source: Westfall & Young (1993), "Resampling-based multiple testing": as Holm's, but where tests depend on each other
(all pairs of a row share that row's luck) the chance that any of them errs is taken from their joint distribution.
"""

import numpy as np
from numpy.typing import NDArray

from .arrays import Array


def step_down(statistics: Array, null: NDArray[np.float32]) -> Array:
    """Adjusted p-values.

    Args:
        statistics: (tests,) the larger, the further from the null hypothesis.
        null: (draws, tests) the same jointly under the null hypothesis.

    Returns:
        (tests,) for each test the chance that the largest of it and of all tests with smaller statistics is as large,
        and no less than those of tests with larger statistics; at least 1 / (draws + 1).
    """
    order = np.argsort(statistics, kind="stable")
    largest = np.maximum.accumulate(null[:, order], axis=1)
    exceeding = (largest >= statistics[order].astype(np.float32)).sum(axis=0)
    adjusted = np.empty(len(statistics))
    adjusted[order] = np.maximum.accumulate(((1 + exceeding) / (1 + len(null)))[::-1])[::-1]
    return adjusted
