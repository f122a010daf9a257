"""Exact bounds at the ends of the range."""

import numpy as np
import pytest
from scipy import stats

from xlt_bench.stats import exact_shortfall, interval


@pytest.mark.parametrize(("clusters", "level"), [(1, 0.95), (20, 0.95), (154, 0.95), (204, 0.9)])
def test_it_is_clopper_and_pearsons_bound_for_none_among_so_many(clusters: int, level: float) -> None:
    reference = stats.binomtest(0, clusters).proportion_ci(level, method="exact")
    assert exact_shortfall(clusters, level) == pytest.approx(reference.high)


@pytest.mark.parametrize("seeds", [1, 3])
def test_all_right_and_all_wrong_have_the_exact_bound_in_place_of_no_width(seeds: int) -> None:
    right, wrong = (interval(np.full((seeds, 154), value), limits=(0.0, 1.0)) for value in (1.0, 0.0))
    assert (right.low, right.high) == (1 - exact_shortfall(154), 1.0)
    assert (wrong.low, wrong.high) == (0.0, exact_shortfall(154))
    assert right.note is not None
    assert "exact bound from 154 clusters" in right.note


def test_elsewhere_nothing_changes() -> None:
    constant = interval(np.full((3, 20), 0.5), limits=(0.0, 1.0))
    assert (constant.low, constant.high, constant.note) == (0.5, 0.5, "no variance")
    x = (np.random.default_rng(0).random((3, 20)) < 0.9).astype(float)
    assert interval(x, limits=(0.0, 1.0)) == interval(x)


def test_it_holds_the_truth_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    for truth in (0.9, 0.99, 0.999):
        all_right = (rng.random((4000, 100)) < truth).all(axis=1)
        held = ~all_right | (1 - exact_shortfall(100) <= truth)
        assert held.mean() >= 0.95


def test_bad_values_are_named() -> None:
    with pytest.raises(ValueError, match="clusters must be at least 1, got 0"):
        exact_shortfall(0)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1, got 1"):
        exact_shortfall(5, 1)
