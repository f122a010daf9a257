"""Metrics: the mean of an item's values is the score, whatever classes were scored, and unknown names are named."""

from __future__ import annotations

import numpy as np
import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.metrics import METRICS, Metric, metric_named

CLASSES = 4


def data() -> tuple[np.ndarray, np.ndarray]:
    """Gold (languages, items) with gaps, of classes 0 to 2 alone; answers (seeds, languages, items) of all and none."""
    rng = np.random.default_rng(0)
    gold = rng.integers(0, CLASSES - 1, (3, 40)).astype(np.int16)
    gold[1, :9] = -1
    return gold, rng.integers(-1, CLASSES, (2, 3, 40)).astype(np.int16)


def accuracy_by_loops(gold: list[int], predicted: list[int]) -> float:
    return sum(g == p for g, p in zip(gold, predicted, strict=True)) / len(gold)


def macro_f1_by_loops(gold: list[int], predicted: list[int]) -> float:
    scores = []
    for label in range(CLASSES):
        right = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
        either = gold.count(label) + predicted.count(label)
        if either:
            scores.append(2 * right / either)
    return sum(scores) / len(scores)


@pytest.mark.parametrize(
    ("name", "by_loops"), [("accuracy", accuracy_by_loops), ("macro-f1", macro_f1_by_loops)]
)  # fmt: skip
def test_the_mean_over_items_is_the_score(name: str, by_loops: object) -> None:
    gold, predicted = data()
    values = metric_named(name).values(gold, predicted, CLASSES)
    assert values.shape == predicted.shape
    assert (np.isnan(values) == (gold < 0)).all()
    for seed in range(2):
        for language in range(3):
            present = gold[language] >= 0
            expected = by_loops(gold[language][present].tolist(), predicted[seed, language][present].tolist())  # type: ignore[operator]
            assert np.nanmean(values[seed, language]) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_metric_of_items_does_not_need_the_other_items(metric: Metric) -> None:
    gold, predicted = data()
    whole, part = (metric.values(gold[:, cut], predicted[..., cut], CLASSES) for cut in (slice(None), slice(0, 20)))
    assert np.array_equal(whole[..., :20], part, equal_nan=True) == metric.of_items


def test_a_class_that_no_test_item_has_is_the_tasks_all_the_same() -> None:
    gold = np.array([[0, 0, 1, 1]], np.int16)
    absent = metric_named("macro-f1").values(gold, np.array([[[0, 0, 1, 2]]], np.int16), 3)
    none = metric_named("macro-f1").values(gold, np.array([[[0, 0, 1, -1]]], np.int16), 3)
    assert absent.mean() == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert none.mean() == pytest.approx((1 + 2 / 3) / 2)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no metric 'macro_f1'; did you mean 'macro-f1'"):
        metric_named("macro_f1")
