"""All pairs at once: the pairs one by one, what is learnt from the table, and the correction."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from xlt_bench.stats import against_fixed, compare, holm_pairs, pairwise, rank_methods


def row(
    rng: np.random.Generator, seeds: int, mean: float = 0.5, spread: float = 0.1, items: int = 30
) -> NDArray[np.float64]:
    item, cell = 0.3 * rng.normal(size=(1, items)), 0.3 * rng.normal(size=(seeds, items))
    return mean + spread * rng.normal(size=(seeds, 1)) + item + cell


def methods() -> list[np.ndarray]:
    """Other numbers of seeds, one run, the same method twice, and some without variance."""
    rng = np.random.default_rng(3)
    made = [row(rng, seeds, 0.5 + 0.1 * k) for k, seeds in enumerate((5, 3, 1, 10, 1))]
    return [*made, made[0], np.ones((3, 30)), np.ones((2, 30)), np.zeros((4, 30))]


@pytest.mark.parametrize("method", ["two-way", "seeds"])
def test_every_pair(method: str) -> None:
    xs = methods()
    result = pairwise(xs, method)  # type: ignore[arg-type]
    assert np.array_equal(result.p, result.p.T, equal_nan=True)
    for i, a in enumerate(xs):
        for j, b in enumerate(xs):
            if i == j:
                assert np.isnan(result.p[i, j])
                continue
            assert result.differences[i, j] == pytest.approx(a.mean() - b.mean(), abs=1e-12)
            if min(len(a), len(b)) < 2:
                assert np.isnan(result.p[i, j])
                continue
            others = [x for k, x in enumerate(xs) if k not in (i, j)]
            expected = compare(a, b, method, further_rows=others).p  # type: ignore[arg-type]
            assert result.p[i, j] == pytest.approx(np.nan if expected is None else expected, abs=1e-12, nan_ok=True)
    assert result.testable.tolist() == [True, True, False, True, False, True, True, True, True]


def test_two_rows_alone_are_the_comparison_with_nothing_to_correct() -> None:
    rng = np.random.default_rng(0)
    a, b = row(rng, 3, 0.6), row(rng, 5, 0.4)
    result = pairwise([a, b])
    assert result.p[0, 1] == result.adjusted_p[0, 1] == compare(a, b).p
    assert result.tests == 1


def test_stored_answers_have_the_paired_t_test_and_a_correction_no_larger_than_holms() -> None:
    rng = np.random.default_rng(1)
    xs = [row(rng, 1, mean) for mean in (0.3, 0.45, 0.6, 0.7)]
    result = pairwise(xs, deterministic=[True] * 4)
    for i in range(4):
        for j in range(i):
            assert result.p[i, j] == pytest.approx(stats.ttest_rel(xs[i][0], xs[j][0]).pvalue, rel=1e-4)
    tested = np.isfinite(result.p)
    assert (result.adjusted_p[tested] >= result.p[tested]).all()
    assert (result.adjusted_p[tested] <= holm_pairs(result.p)[tested] + 0.01).all()


def test_one_run_of_a_method_that_varies_is_not_tested_and_does_not_count() -> None:
    rng = np.random.default_rng(2)
    xs = [row(rng, 3, 0.5 + 0.2 * k) for k in range(3)]
    result, without = pairwise([*xs, row(rng, 1)]), pairwise(xs)
    assert (result.tests, without.tests) == (3, 3)
    assert np.isnan(result.p[3]).all()
    assert np.isnan(result.adjusted_p[3]).all()
    np.testing.assert_allclose(result.p[:3, :3], without.p, equal_nan=True)
    np.testing.assert_allclose(result.adjusted_p[:3, :3], without.adjusted_p, atol=0.02, equal_nan=True)


def test_the_order_of_rows_makes_no_difference() -> None:
    rng = np.random.default_rng(4)
    xs = [row(rng, int(rng.integers(2, 6)), mean) for mean in rng.random(9)]
    order = rng.permutation(9)
    result, shuffled = pairwise(xs), pairwise([xs[k] for k in order])
    np.testing.assert_allclose(shuffled.p, result.p[np.ix_(order, order)], equal_nan=True)
    np.testing.assert_allclose(shuffled.adjusted_p, result.adjusted_p[np.ix_(order, order)], atol=1e-3, equal_nan=True)


def test_rows_with_few_seeds_gain_from_other_rows_and_lose_where_these_are_noisy() -> None:
    rng = np.random.default_rng(5)
    a, b = row(rng, 3, 0.7, 0.03, 204), row(rng, 3, 0.5, 0.03, 204)
    quiet, noisy = ([row(rng, 3, 0.5, spread, 204) for _ in range(10)] for spread in (0.03, 0.6))
    tables = {"alone": [], "quiet": quiet, "noisy": noisy}
    p = {name: compare(a, b, further_rows=rows).p for name, rows in tables.items()}
    assert all(value is not None for value in p.values())
    assert p["quiet"] < 0.5 * p["alone"] < p["noisy"]  # type: ignore[operator]


def test_against_a_reference_only_its_pairs_are_tested() -> None:
    rng = np.random.default_rng(6)
    xs = [row(rng, 4, mean) for mean in (0.3, 0.4, 0.5, 0.6)]
    result, every = pairwise(xs, reference=2), pairwise(xs)
    assert result.tests == 3
    assert np.isnan(result.p[0, 1])
    assert result.p[2, 0] == every.p[2, 0]
    assert result.adjusted_p[2, 0] <= every.adjusted_p[2, 0] + 0.01
    assert result.differences[0, 1] == every.differences[0, 1]


def test_identical_rows_are_ties() -> None:
    x = row(np.random.default_rng(7), 3)
    result = pairwise([x, x, x.copy()])
    np.testing.assert_array_equal(result.p[np.triu_indices(3, 1)], 1.0)
    assert rank_methods(result.differences, result.adjusted_p).letters == ("a", "a", "a")


def test_a_hundred_rows_take_less_than_a_second() -> None:
    rng = np.random.default_rng(8)
    xs = [row(rng, 3, mean, items=204) for mean in rng.random(100)]
    pairwise(xs[:2])
    start = time.process_time()
    result = pairwise(xs)
    assert time.process_time() - start < 1.5
    assert result.tests == 4950


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="must have the same items"):
        pairwise([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="methods must be at least 1"):
        pairwise([])
    with pytest.raises(ValueError, match="two-way, seeds"):
        pairwise([np.ones((2, 3))], "bootstrap")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"items \(or clusters of them\) must be at least 2, got 1"):
        pairwise([np.ones((2, 1)), np.ones((2, 1))])
    with pytest.raises(ValueError, match="deterministic must say of each of 2 methods, got 1 values"):
        pairwise([np.ones((2, 3)), np.ones((2, 3))], deterministic=[True])
    with pytest.raises(ValueError, match="reference must be the position of one of 2 methods, got 2"):
        pairwise([np.ones((2, 3)), np.ones((2, 3))], reference=2)


def test_rows_against_a_fixed_one_are_tested_as_each_pair_is_by_itself() -> None:
    rng = np.random.default_rng(5)
    xs = [rng.random((seeds, 30)) for seeds in (1, 2, 5, 10)] + [np.ones((3, 30)) * 0.5]
    reference = rng.random((1, 30))
    fixed = [len(x) == 1 for x in xs]
    differences, p_values = against_fixed(xs, reference, fixed)
    for x, is_fixed, difference, p in zip(xs, fixed, differences, p_values, strict=True):
        alone = compare(x, reference, "two-way", deterministic=(is_fixed, True))
        assert (difference, p) == (alone.difference, alone.p)
