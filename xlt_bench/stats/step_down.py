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
        null: (tests, draws) the same jointly under the null hypothesis.

    Returns:
        (tests,) for each test the chance that the largest of it and of all tests with smaller statistics is as large,
        and no less than those of tests with larger statistics; at least 1 / (draws + 1).
    """
    order = np.argsort(statistics, kind="stable")
    draws = null.shape[1]
    largest = np.zeros(draws, dtype=null.dtype)
    adjusted = np.empty(len(statistics))
    for test in order:
        np.maximum(largest, null[test], out=largest)
        adjusted[test] = (1 + np.count_nonzero(largest >= null.dtype.type(statistics[test]))) / (1 + draws)
    adjusted[order] = np.maximum.accumulate(adjusted[order][::-1])[::-1]
    return adjusted
