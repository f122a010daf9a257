"""Clusters of items: the cluster-robust variance, the bootstrap of clusters, and what a cluster column must be."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from xlt_bench.stats import by_cluster, components, interval, reduce, resampled_means, two_way


def answers(seed: int = 0, seeds: int = 3, languages: int = 4, items: int = 60) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return (rng.random((seeds, languages, items)) < 0.6).astype(float)


def unequal_clusters(items: int) -> list[str]:
    """Clusters of 1, 2, 3, 4, 1, 2, ... items whose items do not all follow each other."""
    sizes = np.resize([1, 2, 3, 4], items)
    labels = np.repeat([f"article-{k}" for k in range(items)], sizes)[:items]
    shuffled: list[str] = np.random.default_rng(1).permutation(labels).tolist()
    return shuffled


def cluster_robust_variance(x: NDArray[np.float64], labels: list[str]) -> float:
    """C / (C - 1) * sum_c(sum_i (x_i - mean))^2 / I^2: Liang & Zeger's sandwich for a mean, statsmodels' `cluster`."""
    deviation = x - x.mean()
    sums = np.array([deviation[np.array(labels) == label].sum() for label in dict.fromkeys(labels)])
    count = len(sums)
    return float(count / (count - 1) * (sums**2).sum() / len(x) ** 2)


def test_each_item_a_cluster_of_its_own_changes_nothing() -> None:
    y = answers()
    np.testing.assert_allclose(reduce(y, clusters=list(range(60))), reduce(y), atol=1e-14)


def test_rows_keep_their_means_and_the_variance_over_clusters_is_the_cluster_robust_one() -> None:
    y, labels = answers(), unequal_clusters(60)
    x, z = reduce(y), reduce(y, clusters=labels)
    assert z.shape == (3, len(set(labels)))
    np.testing.assert_allclose(z.mean(axis=1), x.mean(axis=1), atol=1e-14)
    expected = cluster_robust_variance(x.mean(axis=0), labels)
    assert float(components(z).item) == pytest.approx(expected, rel=1e-12)
    assert abs(float(components(x).item) / expected - 1) > 0.02, "the labels must matter here"


def test_with_gaps_the_variance_is_that_of_the_linearised_mean() -> None:
    y, labels = answers(2), unequal_clusters(60)
    y[:, 1, ::3] = np.nan
    y[:, :, 7] = np.nan
    x, z = reduce(y), reduce(y, clusters=labels)
    remaining = [label for item, label in enumerate(labels) if item != 7]
    np.testing.assert_allclose(z.mean(axis=1), np.nanmean(y, axis=2).mean(axis=1), atol=1e-14)
    assert float(components(z).item) == pytest.approx(cluster_robust_variance(x.mean(axis=0), remaining), rel=1e-12)


def test_differences_of_clusters_are_clusters_of_differences() -> None:
    a, b, labels = answers(3), answers(4), unequal_clusters(60)
    gap = reduce(a, clusters=labels).mean(axis=0) - reduce(b, clusters=labels).mean(axis=0)
    expected = cluster_robust_variance(reduce(a).mean(axis=0) - reduce(b).mean(axis=0), labels)
    assert gap.var(ddof=1) / len(gap) == pytest.approx(expected, rel=1e-12)


def test_one_run_has_the_t_interval_over_clusters() -> None:
    z = reduce(answers(5, seeds=1), clusters=unequal_clusters(60))
    result, bounds = interval(z), stats.ttest_1samp(z[0], 0.0).confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((bounds.low, bounds.high))
    assert result.clusters == z.shape[1]


def test_equal_clusters_are_cluster_means_and_resampling_them_is_the_plain_cluster_bootstrap() -> None:
    y = answers(6, seeds=1, languages=1, items=12)
    labels = np.arange(12) // 3
    z = reduce(y, clusters=labels.tolist())
    np.testing.assert_allclose(z[0], y[0, 0].reshape(4, 3).mean(axis=1), atol=1e-14)
    (resampled,) = resampled_means([z], key=0, resamples=40_000)
    whole = [np.concatenate([y[0, 0, 3 * c : 3 * c + 3] for c in chosen]) for chosen in product(range(4), repeat=4)]
    every = np.array([items.mean() for items in whole])
    assert resampled.var() == pytest.approx(every.var(), rel=0.03)
    np.testing.assert_allclose(np.quantile(resampled, [0.1, 0.5, 0.9]), np.quantile(every, [0.1, 0.5, 0.9]), atol=1e-12)


def test_answers_that_agree_within_clusters_widen_the_interval_by_the_design_effect() -> None:
    rng = np.random.default_rng(7)
    shared = rng.standard_normal((400, 1, 68, 1))
    x = np.sqrt(0.6) * shared + np.sqrt(0.4) * rng.standard_normal((400, 1, 68, 3))
    x = x.reshape(400, 1, 204)
    z = np.stack([by_cluster(table, (np.arange(204) // 3).tolist()) for table in x])
    assert two_way(z).variance.mean() / two_way(x).variance.mean() == pytest.approx(1 + 2 * 0.6, rel=0.03)
    assert two_way(z).variance.mean() == pytest.approx(x.mean(axis=(1, 2)).var(), rel=0.15)


def test_order_is_that_of_first_items_and_labels_may_be_of_any_kind() -> None:
    x = np.array([[4.0, 1.0, 2.0, 3.0]])
    expected = 2.5 + 2 / 4 * np.array([[(4 - 2.5) + (3 - 2.5), (1 - 2.5) + (2 - 2.5)]])
    for labels in (["b", "a", "a", "b"], [7, 3, 3, 7], [(1, 2), (1, 1), (1, 1), (1, 2)], np.array([7.5, 3, 3, 7.5])):
        np.testing.assert_allclose(by_cluster(x, labels), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", None, "b", None], "every item needs a cluster, but 2 of 4 have none, item 1 first"),
        (["a", "a", "b", ""], "every item needs a cluster, but 1 of 4 have none, item 3 first"),
        ([0.0, 1.0, float("nan"), 1.0], "every item needs a cluster, but 1 of 4 have none, item 2 first"),
        (["a", "b", "c"], "clusters must name the cluster of each of 4 items, got 3 labels"),
        (["a"] * 4, "clusters must be at least 2, got 1: all 4 items belong to 'a'"),
    ],
)
def test_a_bad_cluster_column_is_one_clear_line(labels: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        reduce(np.ones((2, 3, 4)), clusters=labels)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=message):
        by_cluster(np.ones((2, 4)), labels)
