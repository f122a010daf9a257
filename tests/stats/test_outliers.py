"""Which seeds are named as fallen out of their row, and how often one is named that did not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xlt_bench.stats import outlier_seeds


def table(rng: np.random.Generator, rows: int, seeds: int, spread: float = 0.02) -> list[NDArray[np.float64]]:
    """Reduced scores of 60 clusters."""
    item = 0.3 * rng.standard_normal((1, 60))
    return [
        0.7 + item + spread * rng.standard_normal((seeds, 1)) + 0.2 * rng.standard_normal((seeds, 60))
        for _ in range(rows)
    ]


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_collapsed_run_is_named_and_others_are_not(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    xs = table(rng, 6, seeds)
    assert outlier_seeds(xs) == [()] * 6
    xs[2][1] -= 0.4
    assert outlier_seeds(xs) == [(), (), (1,), (), (), ()]


def test_a_run_far_above_its_row_is_named_too_as_are_several() -> None:
    xs = table(np.random.default_rng(0), 3, 5)
    xs[0][4] += 0.4
    xs[1][[0, 3]] -= 0.4
    assert outlier_seeds(xs) == [(4,), (0, 3), ()]


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_false_alarms_are_rare(seeds: int) -> None:
    rng = np.random.default_rng(10 + seeds)
    named = [bool(row) for _ in range(40) for row in outlier_seeds(table(rng, 12, seeds))]
    assert np.mean(named) <= 0.03


def test_two_seeds_one_seed_and_equal_seeds_name_none() -> None:
    rng = np.random.default_rng(1)
    two, one = table(rng, 1, 2), table(rng, 1, 1)
    two[0][0] -= 0.5
    equal = np.tile(rng.random(60), (5, 1))
    assert outlier_seeds([*two, *one, equal]) == [(), (), ()]


def test_bad_values_are_named() -> None:
    with pytest.raises(ValueError, match="rows must be at least 1, got 0"):
        outlier_seeds([])
    with pytest.raises(ValueError, match=r"xs\[0\] must be finite"):
        outlier_seeds([np.full((3, 4), np.nan)])
