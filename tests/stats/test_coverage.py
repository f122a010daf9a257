"""Simulated experiments with known truth: do 95% intervals hold it, and does the test of no difference keep its level?

204 items as in SIB-200. Standard error of a share near 95% from 4,000 draws: 0.34%.
"""

import numpy as np
import pytest

from xlt_bench.stats import MeanVariance, reduce, two_way, two_way_difference
from xlt_bench.stats.simulation import answers_with_gaps, equal_methods, normal_scores
from xlt_bench.stats.student import half_width, two_sided_p

DRAWS, ITEMS = 4000, 204
RATIOS, INTERACTIONS = (0.0, 0.2, 1.0, 3.0), (0.25, 2.0)
BOUNDS = {2: (0.945, 1.0), 3: (0.94, 0.995), 5: (0.94, 0.985), 10: (0.94, 0.975)}


def covered(means: list[MeanVariance], truth: float) -> float:
    return float(np.mean([np.abs(m.estimate - truth) <= half_width(m.parts, 0.95) for m in means]))


def rejected(means: list[MeanVariance]) -> float:
    return float(np.mean([two_sided_p(m.estimate, m.parts) <= 0.05 for m in means]))


def in_parts(*case: float) -> list[np.random.Generator]:
    """Generators of each case its own, for eight parts of its draws: small arrays stay in cache."""
    return [np.random.default_rng([*(int(100 * value) for value in case), part]) for part in range(8)]


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seeds", BOUNDS)
def test_intervals_hold_the_truth(seeds: int, ratio: float, interaction: float) -> None:
    parts = [
        two_way(normal_scores(rng, DRAWS // 8, seeds, ITEMS, ratio, interaction))
        for rng in in_parts(1, seeds, ratio, interaction)
    ]
    low, high = BOUNDS[seeds]
    assert low <= covered(parts, 0.0) <= high


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seeds", [(2, 2), (3, 3), (5, 5), (10, 10), (3, 10), (2, 10)])
def test_equal_methods_are_seldom_found_to_differ(seeds: tuple[int, int], ratio: float, interaction: float) -> None:
    parts = [
        two_way_difference(*equal_methods(rng, DRAWS // 8, seeds, ITEMS, ratio, interaction))
        for rng in in_parts(2, *seeds, ratio, interaction)
    ]
    assert rejected(parts) <= 0.055


@pytest.mark.parametrize("ratio", [0.2, 1.0])
@pytest.mark.parametrize("seeds", BOUNDS)
def test_intervals_hold_the_truth_with_a_third_of_the_items_missing(seeds: int, ratio: float) -> None:
    parts = []
    for rng in in_parts(3, seeds, ratio):
        y, truth = answers_with_gaps(rng, DRAWS // 8, seeds, ITEMS, ratio)
        parts.append(two_way(np.stack([reduce(one) for one in y])))
    low, high = BOUNDS[seeds]
    assert low <= covered(parts, truth) <= high


@pytest.mark.parametrize("seeds", BOUNDS)
def test_equal_methods_are_seldom_found_to_differ_with_a_third_of_the_items_missing(seeds: int) -> None:
    parts = []
    for rng in in_parts(4, seeds):
        y, _ = answers_with_gaps(rng, DRAWS // 8, 2 * seeds, ITEMS, ratio=0.5)
        a, b = (np.stack([reduce(one) for one in half]) for half in (y[:, :seeds], y[:, seeds:]))
        parts.append(two_way_difference(a, b))
    assert rejected(parts) <= 0.055


def test_averaging_over_whoever_has_the_item_misses_the_truth() -> None:
    y, truth = answers_with_gaps(np.random.default_rng(3), 500, 5, ITEMS, 0.2)
    reduced = np.stack([reduce(one) for one in y])
    error = reduced.mean(axis=(1, 2)).std() / np.sqrt(500)
    assert abs(reduced.mean() - truth) < 3 * error
    assert abs(np.nanmean(y, axis=2).mean() - truth) > 10 * error
    missing = np.isnan(y[:, 0, 3:]).mean(axis=(0, 2))
    np.testing.assert_allclose(missing, 1 / 3, atol=0.02)
