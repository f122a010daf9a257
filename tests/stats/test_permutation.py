"""The exact test against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from xlt_bench.stats import permutation_test


def mean_gap(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(np.abs(x.mean(axis=axis) - y.mean(axis=axis)))


@pytest.mark.parametrize(("seeds_a", "seeds_b", "paired"), [(5, 5, False), (3, 6, False), (6, 2, False), (7, 7, True)])
def test_p_is_scipys(seeds_a: int, seeds_b: int, paired: bool) -> None:
    rng = np.random.default_rng(seeds_a)
    a, b = rng.random(seeds_a) + 0.3, rng.random(seeds_b)
    kind = "samples" if paired else "independent"
    reference = stats.permutation_test(
        (a, b), mean_gap, permutation_type=kind, alternative="greater", n_resamples=np.inf
    )
    result = permutation_test(a, b, paired=paired)
    assert result.p == pytest.approx(reference.pvalue)
    assert result.relabellings == len(reference.null_distribution)
    assert result.difference == pytest.approx(a.mean() - b.mean())


@pytest.mark.parametrize(
    ("seeds_a", "seeds_b", "paired", "least"),
    [
        (3, 3, False, 2 / 20),
        (5, 5, False, 2 / 252),
        (10, 10, False, 2 / 184756),
        (2, 4, False, 1 / 15),
        (5, 5, True, 1 / 16),
    ],
)
def test_least_p_is_reached_by_separated_seeds(seeds_a: int, seeds_b: int, paired: bool, least: float) -> None:
    a, b = 10 + np.arange(seeds_a, dtype=float) ** 2, -(np.arange(seeds_b, dtype=float) ** 2)
    result = permutation_test(a, b, paired=paired)
    assert result.least_p == pytest.approx(least)
    assert result.p == pytest.approx(least)
    assert result.paired is paired


def test_equal_scores_have_p_one_and_ties_count_as_extreme() -> None:
    assert permutation_test([0.1 + 0.2] * 4, [0.3] * 4).p == 1
    assert permutation_test([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]).p == 1
    assert permutation_test([1.0, 1.0], [0.0, 1.0]).p == 1


def test_no_verdict_where_the_least_p_times_the_family_exceeds_alpha() -> None:
    a, b = np.arange(5.0), np.arange(5.0) + 9
    assert permutation_test(a, b, family=6).decidable
    assert not permutation_test(a, b, family=7).decidable
    assert not permutation_test(a[:3], b[:3]).decidable
    assert permutation_test(a[:3], b[:3], level=0.9).decidable, "2/20 is exactly 1 - 0.9"


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at most 3000000 relabellings, got 155117520"):
        permutation_test(np.ones(15), np.ones(15))
    with pytest.raises(ValueError, match="as many in a as in b, got 3 and 4"):
        permutation_test(np.ones(3), np.ones(4), paired=True)
    with pytest.raises(ValueError, match="a must be finite"):
        permutation_test([np.nan], [1.0])
    with pytest.raises(ValueError, match="family must be at least 1, got 0"):
        permutation_test([1.0, 2.0], [1.0, 2.0], family=0)
