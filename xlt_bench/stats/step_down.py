"""Which of many dependent tests stand together: step-down of the largest statistic.

Source: Westfall & Young (1993), "Resampling-based multiple testing": as Holm's, but where tests depend on each other
(all pairs of a row share that row's luck) the chance that any of them errs is taken from their joint distribution.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .arrays import Array


def step_down(statistics: Array, null: Callable[[int], NDArray[np.float32]], draws: int) -> Array:
    """Adjusted p-values.

    Args:
        statistics: (tests,) the larger, the further from the null hypothesis.
        null: from the position of a test to its statistic (draws,) under the null hypothesis, drawn jointly with those
            of the other tests. Each is needed once and not kept: of thousands of tests all together are large.
        draws: how many there are of each.

    Returns:
        (tests,) for each test the chance that the largest of it and of all tests with smaller statistics is as large,
        and no less than those of tests with larger statistics; at least 1 / (draws + 1).
    """
    order = np.argsort(statistics, kind="stable").tolist()
    thresholds = statistics.astype(np.float32)
    largest = np.zeros(draws, dtype=np.float32)
    adjusted = np.empty(len(statistics))
    for test in order:
        np.maximum(largest, null(test), out=largest)
        adjusted[test] = (1 + np.count_nonzero(largest >= thresholds[test])) / (1 + draws)
    adjusted[order] = np.maximum.accumulate(adjusted[order][::-1])[::-1]
    return adjusted
