"""Variance components and the detectable difference against closed forms and simulated experiments."""

import numpy as np
import pytest
from scipy import stats

from xlt_bench.stats import DetectableDifference, detectable_difference, effects, two_way_difference
from xlt_bench.stats.simulation import normal_scores
from xlt_bench.stats.student import two_sided_p


def with_effects(seeds: int, items: int, sd: tuple[float, float, float], seed: int) -> np.ndarray:
    """Scores whose variance components are exactly the squares of `sd` (seed, item, cell)."""
    rng = np.random.default_rng(seed)
    cell = rng.standard_normal((seeds, items))
    cell -= cell.mean(axis=0)
    cell -= cell.mean(axis=1, keepdims=True)
    cell *= sd[2] / np.sqrt((cell**2).sum() / ((seeds - 1) * (items - 1)))
    of_seed, of_item = rng.standard_normal(seeds), rng.standard_normal(items)
    of_seed *= np.sqrt(sd[0] ** 2 + sd[2] ** 2 / items) / of_seed.std(ddof=1)
    of_item *= np.sqrt(sd[1] ** 2 + sd[2] ** 2 / seeds) / of_item.std(ddof=1)
    return cell + of_seed[:, None] + of_item


def test_effects_are_recovered() -> None:
    found = effects(with_effects(6, 40, (0.1, 0.4, 0.3), seed=0))
    assert (found.seed, found.item, found.cell) == pytest.approx((0.01, 0.16, 0.09))


def test_effects_below_zero_are_zero_and_one_run_shows_none_of_seeds() -> None:
    residual = np.random.default_rng(1).standard_normal((4, 30))
    residual -= residual.mean(axis=1, keepdims=True)
    assert effects(residual).seed == 0
    one = effects(residual[:1])
    assert (one.seed, one.cell) == (None, None)
    assert one.item == pytest.approx(residual[0].var(ddof=1))


def test_one_run_each_needs_the_difference_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random((1, 40)), rng.random((1, 40))
    shift = detectable_difference(a, b, power=0.9, level=0.99).estimate / ((a - b).std(ddof=1) / np.sqrt(40))
    threshold = stats.t.ppf(0.995, 39)
    power = stats.nct.sf(threshold, 39, shift) + stats.nct.cdf(-threshold, 39, shift)
    assert power == pytest.approx(0.9, abs=2e-3)


def test_planned_variance_is_that_of_the_components() -> None:
    a, b = (with_effects(4, 50, (0.2, 0.5, 0.4), seed=k) for k in (3, 4))
    by_item = 50 * (a.mean(axis=0) - b.mean(axis=0)).var(ddof=1) / 50
    item = by_item - 2 * 0.16 / 4
    few, many = (detectable_difference(a, b, seeds=n, clusters=100_000).estimate for n in (2000, 8000))
    variance = 2 * 0.04 / 2000 + item / 100_000 + 2 * 0.16 / (2000 * 100_000)
    normal = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert few == pytest.approx(normal * np.sqrt(variance), rel=2e-3)
    assert many < few


def test_as_many_seeds_and_items_as_seen_give_the_variance_seen() -> None:
    a, b = with_effects(5, 60, (0.3, 0.5, 0.4), 5), with_effects(7, 60, (0.2, 0.5, 0.4), 6)
    seen = two_way_difference(a, b)
    rng, planned = np.random.default_rng(0), detectable_difference(a, b).estimate
    squared = sum(
        part.variance * stats.t.ppf(0.975, part.df) ** 2 * rng.chisquare(part.df, 200_000) / part.df
        for part in seen.parts
    )
    distance = planned + np.sqrt(seen.variance) * rng.standard_normal(200_000)
    assert (distance**2 > squared).mean() == pytest.approx(0.8, abs=0.01)


def test_the_difference_is_found_as_often_as_promised() -> None:
    rng, effect = np.random.default_rng(7), np.sqrt(0.5)
    a, b = (normal_scores(rng, 1, 400, 4000, 2 * 10 / 204 * 4000 / 400, 1.0)[0] * effect for _ in range(2))
    planned = detectable_difference(a, b, seeds=10, clusters=204).estimate
    a, b = (normal_scores(rng, 2000, 10, 204, 2.0, 1.0) * effect for _ in range(2))
    result = two_way_difference(a + planned, b)
    assert (two_sided_p(result.estimate, result.parts) <= 0.05).mean() == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_range_holds_the_true_detectable_difference_as_often_as_it_says(seeds: int) -> None:
    rng, effect = np.random.default_rng(seeds), np.sqrt(0.5)
    ratio = 2.0
    long = [normal_scores(rng, 1, 300, 3000, ratio * seeds / 204 * 3000 / 300, 1.0)[0] * effect for _ in range(2)]
    truth = detectable_difference(*long, seeds=seeds, clusters=204).estimate
    inside, above = [], []
    for _ in range(200):
        a, b = (normal_scores(rng, 1, seeds, 204, ratio, 1.0)[0] * effect for _ in range(2))
        planned = detectable_difference(a, b)
        inside.append(planned.low <= truth <= planned.high)
        above.append(truth <= planned.high)
        assert planned.low < planned.estimate < planned.high
    assert np.mean(inside) >= 0.87
    assert np.mean(above) >= 0.92


def test_more_comparisons_and_paired_seeds() -> None:
    a, b = with_effects(5, 60, (0.3, 0.5, 0.4), 5), with_effects(5, 60, (0.3, 0.5, 0.4), 6)
    assert detectable_difference(a, b, comparisons=10).estimate > detectable_difference(a, b).estimate
    assert detectable_difference(a, b, comparisons=5) == detectable_difference(a, b, level=0.99)
    b = b + a.mean(axis=1, keepdims=True)
    assert detectable_difference(a, b, paired_seeds=True).estimate < detectable_difference(a, b).estimate
    assert detectable_difference(a, a, paired_seeds=True) == DetectableDifference(0.0, 0.0, 0.0)


def test_bad_arguments_are_named() -> None:
    a = np.random.default_rng(8).random((3, 20))
    with pytest.raises(ValueError, match="one run cannot show the variance between seeds that 3 planned seeds need"):
        detectable_difference(a[:1], a, seeds=3)
    with pytest.raises(ValueError, match=r"power must be greater than alpha \(0\.05\), got 0\.01"):
        detectable_difference(a, a + 1, power=0.01)
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        detectable_difference(a, a, seeds=0)
    with pytest.raises(ValueError, match="clusters must be at least 2, got 1"):
        detectable_difference(a, a, clusters=1)
    with pytest.raises(ValueError, match="comparisons must be at least 1, got 0"):
        detectable_difference(a, a, comparisons=0)
