"""Simulated experiments with known truth: do 95% intervals hold it, and does the test of no difference keep its level?

204 items as in SIB-200. Standard error of a share near 95% from 4,000 draws: 0.34%.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from xlt_bench.stats import MeanVariance, reduce, two_way, two_way_difference
from xlt_bench.stats.simulation import answers_with_gaps, equal_methods, normal_scores
from xlt_bench.stats.student import half_width, two_sided_p

DRAWS, ITEMS = 4000, 204
RATIOS, INTERACTIONS = (0.0, 0.2, 1.0, 3.0), (0.25, 2.0)
BOUNDS = {3: (0.92, 0.975), 5: (0.93, 0.97), 10: (0.93, 0.97)}


def covered(mean: MeanVariance, truth: float) -> float:
    return float((np.abs(mean.estimate - truth) <= half_width(mean.variance, mean.df, 0.95)).mean())


def in_parts(*case: float) -> list[np.random.Generator]:
    """Generators of each case its own, for eight parts of its draws: small arrays stay in cache."""
    return [np.random.default_rng([*(int(100 * value) for value in case), part]) for part in range(8)]


def joined(parts: list[MeanVariance]) -> MeanVariance:
    def join(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(part, name) for part in parts])

    return MeanVariance(join("estimate"), join("variance"), join("df"))


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seeds", BOUNDS)
def test_intervals_hold_the_truth(seeds: int, ratio: float, interaction: float) -> None:
    parts = [
        two_way(normal_scores(rng, DRAWS // 8, seeds, ITEMS, ratio, interaction))
        for rng in in_parts(1, seeds, ratio, interaction)
    ]
    low, high = BOUNDS[seeds]
    assert low <= covered(joined(parts), 0.0) <= high


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seeds", [(3, 3), (5, 5), (10, 10), (3, 10)])
def test_equal_methods_are_seldom_found_to_differ(seeds: tuple[int, int], ratio: float, interaction: float) -> None:
    parts = [
        two_way_difference(*equal_methods(rng, DRAWS // 8, seeds, ITEMS, ratio, interaction))
        for rng in in_parts(2, *seeds, ratio, interaction)
    ]
    found = joined(parts)
    assert 0.02 <= (two_sided_p(found.estimate, found.variance, found.df) <= 0.05).mean() <= 0.07


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("seeds", BOUNDS)
def test_intervals_hold_the_truth_with_a_third_of_the_items_missing(seeds: int, ratio: float) -> None:
    parts = []
    for rng in in_parts(3, seeds, ratio):
        y, truth = answers_with_gaps(rng, DRAWS // 8, seeds, ITEMS, ratio)
        parts.append(two_way(np.stack([reduce(one) for one in y])))
    low, high = BOUNDS[seeds]
    assert low <= covered(joined(parts), truth) <= high


@pytest.mark.parametrize("seeds", BOUNDS)
def test_equal_methods_are_seldom_found_to_differ_with_a_third_of_the_items_missing(seeds: int) -> None:
    parts = []
    for rng in in_parts(4, seeds):
        y, _ = answers_with_gaps(rng, DRAWS // 8, 2 * seeds, ITEMS, ratio=0.5)
        a, b = (np.stack([reduce(one) for one in half]) for half in (y[:, :seeds], y[:, seeds:]))
        parts.append(two_way_difference(a, b))
    found = joined(parts)
    assert 0.02 <= (two_sided_p(found.estimate, found.variance, found.df) <= 0.05).mean() <= 0.07


def test_averaging_over_whoever_has_the_item_misses_the_truth() -> None:
    y, truth = answers_with_gaps(np.random.default_rng(3), 500, 5, ITEMS, 0.2)
    reduced = np.stack([reduce(one) for one in y])
    error = reduced.mean(axis=(1, 2)).std() / np.sqrt(500)
    assert abs(reduced.mean() - truth) < 3 * error
    assert abs(np.nanmean(y, axis=2).mean() - truth) > 10 * error
    missing = np.isnan(y[:, 0, 3:]).mean(axis=(0, 2))
    np.testing.assert_allclose(missing, 1 / 3, atol=0.02)
