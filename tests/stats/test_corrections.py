"""Holm against the closed testing procedure it is a shortcut of, Benjamini-Hochberg against scipy."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from xlt_bench.stats import benjamini_hochberg, holm


def closed_bonferroni(p: np.ndarray) -> np.ndarray:
    """The largest Bonferroni p of all sets of tests that hold the test."""
    sets = [set(s) for size in range(1, len(p) + 1) for s in combinations(range(len(p)), size)]
    return np.array([max(min(1.0, len(s) * min(p[list(s)])) for s in sets if k in s) for k in range(len(p))])


def test_holm_is_closed_testing_with_bonferroni() -> None:
    for seed in range(20):
        p = np.random.default_rng(seed).random(6) ** 3
        np.testing.assert_allclose(holm(p), closed_bonferroni(p))


def test_holm_by_hand_in_the_order_given() -> None:
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.005]), [0.06, 0.03, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1.0, 1.0])
    assert holm([]).shape == (0,)


def test_benjamini_hochberg_is_scipys() -> None:
    for seed in range(20):
        p = np.random.default_rng(seed).random(30) ** 3
        np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_absent_tests_stay_absent_and_do_not_count(correct: object) -> None:
    assert callable(correct)
    p = np.array([0.02, np.nan, 0.5, 0.001, np.nan])
    tested = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(correct(p)), ~tested)
    np.testing.assert_allclose(correct(p)[tested], correct(p[tested]))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_bad_values_are_named(correct: object) -> None:
    assert callable(correct)
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\] \(NaN: no test\), got 1\.2"):
        correct([0.5, 1.2])
    with pytest.raises(ValueError, match=r"p must have one axis, got shape \(1, 1\)"):
        correct([[0.5]])


def test_extra_tests_count_throughout_as_if_nothing_were_found_in_them() -> None:
    np.testing.assert_allclose(holm([0.01, 0.02], extra_tests=2), [0.04, 0.06])
    p = np.random.default_rng(0).random(4) ** 3
    hidden = np.ones(3)
    np.testing.assert_allclose(holm(p, extra_tests=3), holm(np.concatenate([p, hidden]))[:4])
    with pytest.raises(ValueError, match="extra_tests must be at least 0, got -1"):
        holm([0.5], extra_tests=-1)
