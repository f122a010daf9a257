"""`compare` against closed forms and scipy."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from xlt_bench.stats import compare, components, interval, resampled_means, two_way_difference, verdict_of


def pair(seeds_a: int = 4, seeds_b: int = 6, gap: float = 0.1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(7)
    shared = rng.standard_normal((1, 50))

    def one(seeds: int, mean: float) -> NDArray[np.float64]:
        own = mean + 0.2 * rng.standard_normal((seeds, 1)) + 0.5 * rng.standard_normal((1, 50))
        return own + shared + 0.4 * rng.standard_normal((seeds, 50))

    return one(seeds_a, gap), one(seeds_b, 0.0)


def test_two_way_difference_has_the_parts_of_the_formula() -> None:
    a, b = pair()
    one, other = components(a).seed, components(b).seed
    assert one is not None
    assert other is not None
    v_item = (a.mean(axis=0) - b.mean(axis=0)).var(ddof=1) / 50
    variance = float(one.main + other.main + v_item - one.cell - other.cell)
    assert variance > max(float(one.main + other.main), v_item), "the floor must not decide here"
    mean = two_way_difference(a, b)
    assert float(mean.estimate) == pytest.approx(a.mean() - b.mean())
    expected = [(float(one.main), 3), (float(other.main), 5), (variance - float(one.main + other.main), 49)]
    assert [(float(part.variance), part.df) for part in mean.parts] == [pytest.approx(part) for part in expected]
    result = compare(a, b)
    assert result.difference == pytest.approx(a.mean() - b.mean())
    assert (result.varied, result.seeds_a, result.seeds_b, result.clusters) == (("seeds", "items"), 4, 6, 50)


def test_difference_is_floored_at_the_larger_of_seeds_and_items() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((3, 30)), rng.standard_normal((3, 30))
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    v_item = (a.mean(axis=0) - b.mean(axis=0)).var(ddof=1) / 30
    assert float(two_way_difference(a, b).variance) == pytest.approx(v_item)
    a, b = a.T[:, :3].copy(), b.T[:, :3].copy()
    a -= a.mean(axis=0)
    b -= b.mean(axis=0)
    floor = sum(x.mean(axis=1).var(ddof=1) / 30 for x in (a, b))
    assert float(two_way_difference(a, b).variance) == pytest.approx(floor)


def test_swapping_the_methods_swaps_the_sign_only() -> None:
    a, b = pair()
    one, other = compare(a, b), compare(b, a)
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    assert one.p == pytest.approx(other.p)


def test_items_are_paired() -> None:
    a, b = pair()
    scrambled = compare(a, b[:, ::-1])
    result = compare(a, b)
    assert result.high - result.low < 0.75 * (scrambled.high - scrambled.low)


def test_stored_answers_are_the_paired_t_test_over_items_and_say_so() -> None:
    a, b = pair(1, 1)
    result, reference = compare(a, b, deterministic=(True, True)), stats.ttest_rel(a[0], b[0])
    bounds = reference.confidence_interval(0.95)
    assert result.p == pytest.approx(reference.pvalue, rel=1e-4)
    assert (result.low, result.high) == pytest.approx((bounds.low, bounds.high))
    assert (result.varied, result.note) == (("items",), "inference for these answers: no runs that differ")


@pytest.mark.parametrize("method", ["two-way", "bootstrap"])
def test_one_run_of_a_method_that_varies_has_no_verdict(method: str) -> None:
    a, b = pair(1, 4, gap=5.0)
    result = compare(a, b, method)  # type: ignore[arg-type]
    assert (result.p, result.verdict) == (None, None)
    assert result.note is not None
    assert "one run of a; " in result.note
    assert "no test" in result.note
    assert result.low < result.difference < result.high
    assert compare(a, b, method, deterministic=(True, False)).verdict == "better"  # type: ignore[arg-type]


def test_several_runs_that_never_differ_are_stored_answers() -> None:
    a, b = pair(1, 1)
    result = compare(np.repeat(a, 4, axis=0), b, deterministic=(False, True))
    assert result.p == pytest.approx(stats.ttest_rel(a[0], b[0]).pvalue, rel=1e-4)
    assert result.varied == ("items",)


def test_one_run_against_several_takes_the_seed_variance_of_the_several() -> None:
    a, b = pair(1, 5)
    other = components(b).seed
    assert other is not None
    v_item = (a[0] - b.mean(axis=0)).var(ddof=1) / 50
    expected = max(float(other.main - other.cell) + v_item, v_item, float(other.main))
    assert float(two_way_difference(a, b).variance) == pytest.approx(expected)
    result = compare(a, b, deterministic=(True, False))
    assert (result.varied, result.note) == (("seeds of b", "items"), None)
    width = np.sqrt(
        float(other.main) * stats.t.ppf(0.975, 4) ** 2 + (expected - float(other.main)) * stats.t.ppf(0.975, 49) ** 2
    )
    assert result.high - result.difference == pytest.approx(width), "one row that varies: its seeds by themselves"


def test_paired_seeds_follow_the_one_method_rule_for_the_difference() -> None:
    a, b = pair(5, 5)
    b = b + (a - a.mean(axis=0)).mean(axis=1, keepdims=True)
    result, reference = compare(a, b, paired_seeds=True), interval(a - b, null=0.0)
    for name in ("low", "high", "p", "varied"):
        assert getattr(result, name) == getattr(reference, name)
    unpaired = compare(a, b)
    assert result.high - result.low < unpaired.high - unpaired.low
    with pytest.raises(ValueError, match="as many in a as in b, got 5 and 4"):
        compare(a, b[:4], paired_seeds=True)


def test_seeds_only_is_the_paired_t_test_on_means_of_seeds_or_by_components() -> None:
    a, b = pair(5, 4)
    reference = stats.ttest_rel(a[:4].mean(axis=1), b.mean(axis=1))
    result, bounds = compare(a[:4], b, "seeds", 0.9, paired_seeds=True), reference.confidence_interval(0.9)
    assert (result.p, result.low, result.high) == pytest.approx((reference.pvalue, bounds.low, bounds.high))
    variances = [x.mean(axis=1).var(ddof=1) / len(x) for x in (a, b)]
    width = np.sqrt(sum(v * stats.t.ppf(0.95, len(x) - 1) ** 2 for v, x in zip(variances, (a, b), strict=True)))
    result = compare(a, b, "seeds", 0.9)
    assert result.high - result.difference == pytest.approx(width)
    assert result.varied == ("seeds",)


def test_bootstrap_takes_one_draw_of_items_for_both_and_seeds_of_each_its_own() -> None:
    a, b = pair()
    result = compare(a, b, "bootstrap", key=3, resamples=4000)
    of_a, of_b = resampled_means([a, b], key=3, resamples=4000)
    assert (result.low, result.high) == pytest.approx(tuple(np.percentile(of_a - of_b, [2.5, 97.5])))
    below = min(np.sum(of_a - of_b <= 0), np.sum(of_a - of_b >= 0))
    assert result.p == pytest.approx(2 * (below + 1) / 4001)
    two_way = compare(a, b)
    assert result.high - result.low == pytest.approx(two_way.high - two_way.low, rel=0.25)


@pytest.mark.parametrize("method", ["two-way", "seeds", "bootstrap"])
@pytest.mark.parametrize("paired", [False, True])
def test_no_variance_has_p_one_if_equal_and_else_no_verdict(method: str, paired: bool) -> None:
    items = np.random.default_rng(0).random(12)
    a, equal, apart = (np.tile(items + gap, (3, 1)) for gap in (0.0, 0.0, 0.25))
    same = compare(a, equal, method, paired_seeds=paired, resamples=100)  # type: ignore[arg-type]
    other = compare(a, apart, method, paired_seeds=paired, resamples=100)  # type: ignore[arg-type]
    assert (same.p, same.verdict, same.low, same.high) == pytest.approx((1.0, "tie", 0.0, 0.0), abs=1e-12)
    assert (other.p, other.verdict) == (None, None)
    assert other.low == other.high == pytest.approx(-0.25)
    assert other.note is not None
    assert "no variance" in other.note


def test_verdicts() -> None:
    a, b = pair(gap=2.0)
    assert compare(a, b).verdict == "better"
    assert compare(b, a).verdict == "worse"
    assert compare(a, a[::-1]).verdict == "tie"
    assert verdict_of(1.0, 0.05, 0.05) == "better"


def test_other_items_and_single_seeds_are_named() -> None:
    a, b = pair()
    with pytest.raises(ValueError, match="a and b must have the same items, got 50 and 49 clusters"):
        compare(a, b[:, 1:])
    with pytest.raises(ValueError, match="seeds of a seeds-only interval must be at least 2, got 1"):
        compare(a, b[:1], "seeds")
    with pytest.raises(ValueError, match="b must be finite"):
        compare(a, b * np.inf)
    with pytest.raises(ValueError, match=r"items \(or clusters of them\) must be at least 2, got 1"):
        compare(a[:, :1], b[:, :1])
