"""`components` and `interval` against closed forms and scipy."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from xlt_bench.stats import components, interval, resampled_means, two_way


def crossed(seeds: int = 5, items: int = 40, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    noise = 0.2 * rng.standard_normal((seeds, items))
    return 0.6 + 0.05 * rng.standard_normal((seeds, 1)) + 0.3 * rng.standard_normal((1, items)) + noise


def test_components_are_the_mean_squares_of_two_way_analysis_of_variance() -> None:
    x = crossed()
    (s, n), grand = x.shape, x.mean()
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    mean_square_seed = n * ((rows - grand) ** 2).sum() / (s - 1)
    mean_square_item = s * ((columns - grand) ** 2).sum() / (n - 1)
    left = ((x - grand) ** 2).sum() - (s - 1) * mean_square_seed - (n - 1) * mean_square_item
    parts = components(x)
    assert parts.seed is not None
    assert parts.seed.main == pytest.approx(mean_square_seed / (s * n))
    assert parts.item == pytest.approx(mean_square_item / (s * n))
    assert parts.seed.cell == pytest.approx(left / ((s - 1) * (n - 1)) / (s * n))


def test_two_way_interval_is_the_formula() -> None:
    x = crossed()
    parts = components(x)
    assert parts.seed is not None
    v_seed, v_item, v_cell = float(parts.seed.main), float(parts.item), float(parts.seed.cell)
    variance = v_seed + v_item - v_cell
    assert variance > max(v_seed, v_item), "the floor must not decide here"
    width = np.sqrt(v_seed * stats.t.ppf(0.95, 4) ** 2 + (v_item - v_cell) * stats.t.ppf(0.95, 39) ** 2)
    result = interval(x, level=0.9)
    assert (result.estimate, result.low, result.high) == pytest.approx((x.mean(), x.mean() - width, x.mean() + width))
    assert (result.varied, result.seeds, result.clusters) == (("seeds", "items"), 5, 40)
    assert (result.note, result.p) == (None, None)


def test_p_is_one_less_the_level_at_which_the_interval_reaches_the_null() -> None:
    x = crossed()
    p = interval(x, null=0.55).p
    assert p is not None
    result = interval(x, level=1 - p)
    assert min(abs(result.low - 0.55), abs(result.high - 0.55)) < 1e-9
    assert interval(x, null=float(x.mean())).p == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_variance_is_floored_at_the_larger_of_its_parts(axis: int) -> None:
    rng = np.random.default_rng(3)
    residual = rng.standard_normal((5, 40))
    residual -= residual.mean(axis=axis, keepdims=True)
    parts = components(residual)
    assert parts.seed is not None
    larger = max(float(parts.seed.main), float(parts.item))
    assert float(parts.seed.main + parts.item - parts.seed.cell) < larger
    assert float(two_way(residual).variance) == pytest.approx(larger)


def test_without_differences_between_seeds_it_is_the_t_interval_over_items() -> None:
    one = crossed(1)
    result, reference = interval(np.repeat(one, 4, axis=0)), stats.ttest_1samp(one[0], 0.0)
    bounds = reference.confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((bounds.low, bounds.high))


def test_without_differences_between_items_it_is_the_t_interval_over_seeds() -> None:
    by_seed = crossed()[:, :1]
    x = np.repeat(by_seed, 30, axis=1)
    bounds = stats.ttest_1samp(by_seed[:, 0], 0.0).confidence_interval(0.95)
    for method in ("two-way", "seeds"):
        result = interval(x, method)
        assert (result.low, result.high) == pytest.approx((bounds.low, bounds.high)), method


def test_one_run_is_the_t_interval_over_items_and_says_so() -> None:
    x = crossed(1)
    bounds = stats.ttest_1samp(x[0], 0.0).confidence_interval(0.95)
    result = interval(x, null=0.5)
    assert (result.low, result.high) == pytest.approx((bounds.low, bounds.high))
    assert (result.varied, result.note) == (("items",), "one run")
    assert result.p is None, "nothing says how far another run would be"
    assert components(x).seed is None


def test_one_run_of_what_does_not_depend_on_a_seed_is_tested_over_items() -> None:
    x = crossed(1)
    result = interval(x, null=0.5, deterministic=True)
    assert result.p == pytest.approx(stats.ttest_1samp(x[0], 0.5).pvalue)
    assert result.note is None


def test_seeds_interval_is_the_t_interval_over_means_of_seeds_and_tests_a_null() -> None:
    x = crossed()
    reference = stats.ttest_1samp(x.mean(axis=1), 0.55)
    bounds = reference.confidence_interval(0.99)
    result = interval(x, "seeds", 0.99, null=0.55)
    assert (result.low, result.high, result.p) == pytest.approx((bounds.low, bounds.high, reference.pvalue))
    assert result.varied == ("seeds",)


def test_bootstrap_interval_is_the_percentile_of_the_resamples() -> None:
    x = crossed(4)
    result = interval(x, "bootstrap", 0.9, key=b"records", resamples=2000, null=0.0)
    (resampled,) = resampled_means([x], key=b"records", resamples=2000)
    assert (result.low, result.high) == pytest.approx(tuple(np.percentile(resampled, [5, 95])))
    assert result.p == pytest.approx(2 / 2001)
    assert result.note == "bootstrap from 4 seeds: too narrow"


def test_bounds_are_not_clipped() -> None:
    x = np.ones((3, 20))
    x[0, 0] = 0.0
    assert interval(x).high > 1


@pytest.mark.parametrize("method", ["two-way", "seeds", "bootstrap"])
def test_no_variance_gives_the_estimate_twice(method: str) -> None:
    x = np.full((3, 10), 0.1 + 0.2)
    same, other = (interval(x, method, null=null, resamples=50) for null in (0.3, 0.31))  # type: ignore[arg-type]
    assert same.low == same.high == pytest.approx(0.3)
    bootstrap_note = "bootstrap from 3 seeds: too narrow; " if method == "bootstrap" else ""
    assert (same.p, other.p, same.note) == (1.0, None, f"{bootstrap_note}no variance")


def test_many_experiments_at_once_are_each_their_own() -> None:
    xs = np.stack([crossed(seed=k) for k in range(6)]).reshape(2, 3, 5, 40)
    together = two_way(xs)
    alone = two_way(xs[1, 2])
    assert together.estimate[1, 2] == pytest.approx(float(alone.estimate))
    assert together.variance[1, 2] == pytest.approx(float(alone.variance))
    for part, part_alone in zip(together.parts, alone.parts, strict=True):
        assert (part.variance[1, 2], part.df) == pytest.approx((float(part_alone.variance), part_alone.df))


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((3, 1)), {}, r"items \(or clusters of them\) must be at least 2, got 1"),
        (np.ones((3, 1)), {"method": "bootstrap"}, "items must be at least 2, got 1"),
        (np.ones((1, 9)), {"method": "seeds"}, "seeds of a seeds-only interval must be at least 2, got 1"),
        (np.ones(9), {}, r"x must have 2 non-empty axes, got shape \(9,\)"),
        (np.array([[1, np.nan]]), {}, "x must be finite, got 1 values"),
        (np.ones((3, 9)), {"level": 95}, "level must lie strictly between 0 and 1, got 95"),
        (np.ones((3, 9)), {"method": "naive"}, "method must be one of two-way, bootstrap, seeds, got 'naive'"),
        (np.ones((3, 9)), {"method": "bootstrap", "resamples": 0}, "resamples must be at least 2, got 0"),
    ],
)
def test_bad_arguments_are_named(x: NDArray[np.float64], options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        interval(x, **options)  # type: ignore[arg-type]
