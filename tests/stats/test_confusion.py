"""Confusion counts, the scores made of them and their bootstrap, against plain loops."""

import numpy as np
import pytest

from xlt_bench.stats import (
    accuracy,
    confusion_counts,
    interval,
    macro_f1,
    macro_f1_pseudo_values,
    reduce,
    resampled_means,
    resampled_scores,
)


def answers(seeds: int = 3, languages: int = 2, items: int = 30, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Gold (languages, items) with gaps and answers (seeds, languages, items), some of which name no class."""
    rng = np.random.default_rng(0)
    gold = np.tile(rng.integers(0, classes, items), (languages, 1))
    predicted = np.where(rng.random((seeds, languages, items)) < 0.6, gold, rng.integers(-1, classes, items))
    gold[1, :7] = -1
    return gold, predicted


def f1_by_loops(gold: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    each = []
    for c in range(classes):
        right = sum(g == c and p == c for g, p in zip(gold, predicted, strict=True))
        given, true = int((predicted == c).sum()), int((gold == c).sum())
        if given + true:
            precision, recall = right / given if given else 0.0, right / true if true else 0.0
            each.append(2 * precision * recall / (precision + recall) if right else 0.0)
    return float(np.mean(each))


def test_counts_accuracy_and_macro_f1_are_those_of_plain_loops() -> None:
    gold, predicted = answers()
    counts = confusion_counts(gold, predicted, 4)
    assert counts.shape == (3, 2, 4, 5)
    for s in range(3):
        for k in range(2):
            has = gold[k] >= 0
            own, given = gold[k][has], predicted[s, k][has]
            table = np.zeros((4, 5), dtype=int)
            for g, p in zip(own, given, strict=True):
                table[g, p] += 1
            np.testing.assert_array_equal(counts[s, k], table)
            assert accuracy(counts)[s, k] == pytest.approx((own == given).mean())
            assert macro_f1(counts)[s, k] == pytest.approx(f1_by_loops(own, given, 4))


def test_macro_f1_by_hand() -> None:
    counts = confusion_counts([0, 0, 0, 1, 1], [0, 0, 1, 1, -1], 3)
    assert float(macro_f1(counts)) == pytest.approx((2 * 2 / 5 + 2 * 1 / 4) / 2), "class 2 never occurs"


def test_resampled_accuracy_is_the_bootstrap_of_means() -> None:
    gold, predicted = answers()
    gold = np.abs(gold)
    scores = resampled_scores(gold, [predicted, predicted[:2]], 4, accuracy, key=b"k", resamples=50)
    for method, seeds in enumerate([3, 2]):
        right = (predicted[:seeds] == gold).astype(float).swapaxes(0, 1)
        both = [right[:, [0, 1, 0][:seeds]], right] if method else [right]
        expected = resampled_means(both, key=b"k", resamples=50)[-1]
        np.testing.assert_allclose(scores[method], expected)


@pytest.mark.parametrize("at_once", [4_000_000, 200])
def test_resampled_macro_f1_is_that_of_the_drawn_items(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("xlt_bench.stats.confusion._COUNTS_AT_ONCE", at_once)
    gold, predicted = answers(seeds=1)
    scores = resampled_scores(gold, [predicted], 4, key=3, resamples=20)
    which = resampled_means([np.eye(30)[:, None]], key=3, resamples=20)[0] * 30
    for b in range(20):
        drawn = np.repeat(np.arange(30), np.rint(which[:, b]).astype(int))
        assert len(drawn) == 30
        for k in range(2):
            has = drawn[gold[k, drawn] >= 0]
            assert scores[0, k, b] == pytest.approx(f1_by_loops(gold[k, has], predicted[0, k, has], 4))


def test_spread_between_seeds_is_that_of_the_sample() -> None:
    gold = np.tile(np.arange(4), 25)[None]
    shares = np.array([0.2, 0.5, 0.6, 0.9])
    predicted = np.stack([np.where(np.arange(100) // 4 < share * 25, gold, (gold + 1) % 4) for share in shares])
    scores = resampled_scores(np.tile(gold, (1, 1)), [predicted], 4, accuracy, key=0, resamples=20_000)[0, 0]
    items_only = resampled_scores(gold, [predicted[1:2]], 4, accuracy, key=0, resamples=20_000)[0, 0].var()
    assert scores.var() - items_only < shares.var(ddof=1) / 4 * 1.1
    assert scores.var() > shares.var(ddof=1) / 4


def test_bad_arguments_are_named() -> None:
    gold, predicted = answers()
    with pytest.raises(ValueError, match="predicted must hold classes 0 to 3 or -1, got 4"):
        confusion_counts(gold, np.full_like(gold, 4), 4)
    with pytest.raises(ValueError, match="gold must be a non-empty array of integers, got float64"):
        confusion_counts(gold.astype(float), gold, 4)
    with pytest.raises(ValueError, match="classes must be at least 2, got 1"):
        confusion_counts(gold, gold, 1)
    with pytest.raises(
        ValueError, match=r"predicted\[0\] must have the axes .* of gold \(2, 30\), got shape \(2, 30\)"
    ):
        resampled_scores(gold, [gold], 4, key=0)
    gold[1, 1:] = -1
    with pytest.raises(ValueError, match="one language has only 1 items"):
        resampled_scores(np.where(np.arange(30) == 9, gold[0], gold)[:, :], [predicted], 4, key=0)


def test_pseudo_values_have_macro_f1_as_their_mean() -> None:
    gold, predicted = answers(classes=3)
    values = macro_f1_pseudo_values(gold, predicted, 4)
    assert values.shape == predicted.shape
    np.testing.assert_array_equal(np.isnan(values), np.broadcast_to(gold < 0, values.shape))
    for s in range(3):
        for k in range(2):
            has = gold[k] >= 0
            assert np.nanmean(values[s, k]) == pytest.approx(f1_by_loops(gold[k][has], predicted[s, k][has], 4))
    np.testing.assert_allclose(reduce(values).mean(axis=1), macro_f1(confusion_counts(gold, predicted, 4)).mean(axis=1))


def test_pseudo_values_are_the_derivative_of_macro_f1_in_each_items_weight() -> None:
    gold, predicted = (array[..., :1, :] for array in answers())
    (values,) = macro_f1_pseudo_values(gold, predicted, 4)[1]
    step, items = 1e-6, gold.shape[1]
    for item in range(items):
        weights = np.ones(items)
        weights[item] += step
        heavier, lighter = (weighted_macro_f1(gold[0], predicted[1, 0], w, 4) for w in (weights, 2 - weights))
        assert values[item] - values.mean() == pytest.approx(items * (heavier - lighter) / (2 * step), abs=1e-6)


def weighted_macro_f1(gold: np.ndarray, predicted: np.ndarray, weights: np.ndarray, classes: int) -> float:
    """The closed form with a weight for each item."""
    each = []
    for c in range(classes):
        either = weights @ ((gold == c) * 1.0 + (predicted == c))
        each.append(2 * weights @ ((gold == c) & (predicted == c)) / either)
    return float(np.mean(each))


def test_all_right_is_one_with_no_influence_and_answers_that_name_no_class_count_as_misses() -> None:
    gold = np.array([[0, 1, 2, 1]])
    np.testing.assert_allclose(macro_f1_pseudo_values(gold, gold[None], 3), 1.0)
    values = macro_f1_pseudo_values(gold, np.array([[[0, 1, -1, 1]]]), 3)
    assert values.mean() == pytest.approx(2 / 3)


def test_the_pseudo_values_interval_agrees_with_the_joint_bootstrap() -> None:
    rng = np.random.default_rng(3)
    gold = np.tile(rng.integers(0, 4, 300), (3, 1))
    skill = np.clip(0.6 + 0.05 * rng.standard_normal((6, 1, 1)), 0, 1)
    predicted = np.where(rng.random((6, 3, 300)) < skill, gold, rng.integers(0, 4, (6, 3, 300)))
    x = reduce(macro_f1_pseudo_values(gold, predicted, 4))
    resampled = resampled_scores(gold, [predicted], 4, key=0, resamples=4000)[0].mean(axis=0)
    (linearised,) = resampled_means([x], key=0, resamples=4000)
    assert linearised.std() == pytest.approx(resampled.std(), rel=0.05)
    low, high = np.quantile(resampled, [0.025, 0.975])
    result = interval(x, "bootstrap", key=0)
    assert (result.high - result.low) == pytest.approx(high - low, rel=0.06)


def test_the_variance_of_macro_f1_is_that_of_repeated_experiments() -> None:
    rng, estimates, variances = np.random.default_rng(4), [], []
    for _ in range(600):
        gold = rng.integers(0, 3, (1, 150))
        predicted = np.where(rng.random((1, 1, 150)) < 0.7, gold, rng.integers(0, 3, (1, 1, 150)))
        x = reduce(macro_f1_pseudo_values(gold, predicted, 3))
        estimates.append(x.mean())
        variances.append(x[0].var(ddof=1) / x.shape[1])
    assert np.mean(variances) == pytest.approx(np.var(estimates), rel=0.15)


def test_pseudo_values_refuse_other_axes() -> None:
    with pytest.raises(ValueError, match=r"gold must have the axes \(languages, items\).*got shapes \(3,\) and \(3,\)"):
        macro_f1_pseudo_values([0, 1, 0], [0, 1, 0], 2)


def test_clusters_are_drawn_whole() -> None:
    gold, predicted = answers(seeds=1)
    gold = np.abs(gold)
    repeated_gold, repeated = np.repeat(gold, 3, axis=1), np.repeat(predicted, 3, axis=2)
    labels = (np.arange(90) // 3).tolist()
    by_cluster = resampled_scores(repeated_gold, [repeated], 4, key=1, resamples=40, clusters=labels)
    np.testing.assert_allclose(by_cluster, resampled_scores(gold, [predicted], 4, key=1, resamples=40))
