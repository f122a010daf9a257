"""A seeded, small version of `benchmarks.coverage`: tables of logistic answers whose truth is known.

The bounds leave three standard errors of so few tables; the full version is in docs/statistics.md.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from xlt_bench.stats import by_cluster, pairwise, two_way
from xlt_bench.stats.simulation import TableDesign, tables, true_accuracy
from xlt_bench.stats.student import half_width

TABLES = 80
FAMILY_BOUND = 0.07 + 3 * np.sqrt(0.07 * 0.93 / TABLES)


def coverage(rows: list[NDArray[np.float64]], truth: float) -> float:
    means = [two_way(x) for x in rows]
    return float(np.mean([abs(float(m.estimate) - truth) <= float(half_width(m.parts, 0.95)) for m in means]))


@pytest.mark.parametrize(
    ("spreads", "seeds"),
    [
        ((0.1,) * 6, (2,) * 6),
        ((0.35, *(0.05,) * 5), (3,) * 6),
        ((0.025, 0.25) * 3, (3,) * 6),
        ((0.35, 0.05), (2, 10)),
        ((0.025, 0.25), (3, 3)),
    ],
    ids=["middle", "one noisy", "alternating", "noisy with few seeds", "two rows"],
)
def test_equal_rows_are_seldom_told_apart(spreads: tuple[float, ...], seeds: tuple[int, ...]) -> None:
    rng, upper = np.random.default_rng(len(spreads) + seeds[0]), np.triu_indices(len(seeds), k=1)
    results = [pairwise(table) for table in tables(TableDesign(spreads, seeds), [0.0] * len(seeds), rng, TABLES)]
    assert np.mean([np.any(result.adjusted_p[upper] <= 0.05) for result in results]) <= FAMILY_BOUND
    assert np.mean([np.mean(result.p[upper] <= 0.05) for result in results]) <= FAMILY_BOUND


def test_a_table_of_quiet_rows_tells_ten_points_apart_from_three_seeds() -> None:
    setting, gains = TableDesign((0.05,) * 6, (3,) * 6), [0.0, 0.0, 0.0, 0.1, 0.1, 0.1]
    distinct = [pairwise(t).adjusted_p[:3, 3:] <= 0.05 for t in tables(setting, gains, np.random.default_rng(0), 30)]
    assert np.mean(distinct) > 0.7


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.025, 0.25])
def test_intervals_hold_the_truth(seeds: int, spread: float) -> None:
    setting = TableDesign((spread,), (seeds,))
    rows = [x for (x,) in tables(setting, [0.0], np.random.default_rng(seeds), 300)]
    assert coverage(rows, true_accuracy(setting)) >= 0.93 - 3 * np.sqrt(0.07 * 0.93 / 300)


def test_related_items_need_their_clusters() -> None:
    setting = TableDesign((0.05,), (5,), cluster_correlation=0.6, language_groups=(1, 1))
    clustered = [x for (x,) in tables(setting, [0.0], np.random.default_rng(1), 300)]
    assert clustered[0].shape == (5, 68)
    assert coverage(clustered, 0.6) >= 0.93 - 3 * np.sqrt(0.07 * 0.93 / 300)
    alone = [
        x for (x,) in tables(TableDesign((0.05,), (5,), language_groups=(1, 1)), [0.0], np.random.default_rng(1), 50)
    ]
    assert by_cluster(alone[0], setting.clusters).shape == (5, 68)
    widths = [np.mean([float(two_way(x).variance) for x in rows]) for rows in (clustered, alone)]
    assert widths[0] > 1.3 * widths[1]


@pytest.mark.parametrize("changes", [{"missing": 1 / 3}, {"missing": 1 / 3, "blocks": True}, {"tails": 3.0}])
def test_means_are_the_true_accuracy(changes: dict[str, float]) -> None:
    setting = TableDesign((0.25, 0.025), (3, 3), **changes)  # type: ignore[arg-type]
    means = np.array([[x.mean() for x in t] for t in tables(setting, [0.0, 0.1], np.random.default_rng(2), 200)])
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    assert (np.abs(means.mean(axis=0) - [0.6, 0.7]) < 4 * error).all()
