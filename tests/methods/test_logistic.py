"""Logistic regression against closed forms and an independent solver; n-gram features against counting by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax

from tests.support.fits import DEV, LABELS, TRAIN, cldr_context
from xlt_bench.conformance import toy
from xlt_bench.errors import ConfigError
from xlt_bench.methods.ngram_linear import NgramLinear
from xlt_bench.task import Example, Labelled
from xlt_bench.training.logistic import Linear, fit, select

GOLD = np.array([0, 0, 0, 1, 0, 1, 1, 2, 2, 2])
GROUP = np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1, 1, 1]]


def noisy(items: int = 60, features: int = 5) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(0)
    return random.normal(size=(items, features)), random.integers(3, size=items)


def newton(features: NDArray[np.float64], gold: NDArray[np.int64], strength: float) -> NDArray[np.float64]:
    """The same minimum by Newton's method over all weights and biases at once, shape (features + 1, classes)."""
    design = np.column_stack([features, np.ones(len(gold))])
    penalty = np.repeat([*np.full(features.shape[1], strength), 0.0], 3)
    flat, truth = np.zeros(design.shape[1] * 3), np.eye(3)[gold]
    for _ in range(50):
        shares = softmax(design @ flat.reshape(-1, 3), axis=1)
        gradient = (design.T @ (shares - truth) / len(gold)).ravel() + penalty * flat
        spread = np.einsum("ic,cd->icd", shares, np.eye(3)) - np.einsum("ic,id->icd", shares, shares)
        curvature = np.einsum("ij,ik,icd->jckd", design, design, spread).reshape(len(flat), -1) / len(gold)
        flat = flat - np.linalg.lstsq(curvature + np.diag(penalty), gradient, rcond=None)[0]
    return flat.reshape(-1, 3)


@pytest.mark.parametrize("strength", [1.0, 0.1, 0.001])
def test_the_minimum_is_that_of_newtons_method(strength: float) -> None:
    features, gold = noisy()
    zero = Linear.zero(5, 3)
    found, expected = fit(features, gold, strength, zero, zero), newton(features, gold, strength)
    assert np.allclose(found.weights, expected[:-1], atol=1e-3)
    assert np.allclose(softmax(found.biases), softmax(expected[-1]), atol=1e-3)


def test_without_penalty_the_shares_are_those_of_each_group() -> None:
    zero = Linear.zero(2, 3)
    found = softmax(fit(GROUP, GOLD, 1e-9, zero, zero).logits(np.eye(2)), axis=1)
    assert np.allclose(found, [[3 / 4, 1 / 4, 0], [1 / 6, 2 / 6, 3 / 6]], atol=2e-3)


def test_under_a_great_penalty_the_shares_are_those_of_all() -> None:
    zero = Linear.zero(2, 3)
    found = fit(GROUP, GOLD, 1e6, zero, zero)
    assert np.allclose(softmax(found.logits(GROUP), axis=1), [[0.4, 0.3, 0.3]] * 10, atol=1e-3)


def test_the_penalty_is_on_the_distance_to_the_centre() -> None:
    features, gold = noisy()
    centre = Linear(np.arange(15.0).reshape(5, 3) / 10, np.zeros(3))
    near, far = (fit(features, gold, strength, centre, centre) for strength in (1e6, 1e-3))
    assert np.allclose(near.weights, centre.weights, atol=1e-4)
    assert np.abs(far.weights - centre.weights).max() > 0.1


def test_the_start_decides_nothing() -> None:
    features, gold = noisy()
    zero, elsewhere = Linear.zero(5, 3), Linear(np.full((5, 3), 2.0), np.full(3, -1.0))
    one, other = (fit(features, gold, 0.1, start, zero) for start in (zero, elsewhere))
    assert np.allclose(one.weights, other.weights, atol=1e-3)


def test_sparse_features_give_the_same_and_unseen_ones_stay() -> None:
    features, gold = noisy()
    wide = np.zeros((60, 9))
    wide[:, [1, 3, 4, 6, 8]] = features
    centre = Linear(np.full((9, 3), 0.5), np.zeros(3))
    dense, sparse = (fit(one, gold, 0.1, centre, centre) for one in (wide, csr_matrix(wide)))
    assert np.allclose(dense.weights, sparse.weights, atol=1e-3)
    assert (sparse.weights[[0, 2, 5, 7]] == 0.5).all()


def test_dev_selects_the_strength_and_of_equals_the_strongest() -> None:
    features, gold = noisy()
    part = Labelled(tuple(Example(str(at), "eng_Latn", "") for at in range(60)), gold)
    model, summary = select((features, part), (features, part), (0.01, 1e5, 1e6), Linear.zero(5, 3), cldr_context(None))
    accuracies = [point.dev_accuracy for point in summary.history]
    assert accuracies[0] == accuracies[1] < accuracies[2]
    assert (summary.selected_step, summary.trainable_parameters) == (3, 18)
    assert (model.logits(features).argmax(1) == gold).mean() == accuracies[2]
    _, summary = select((features, part), (features, part), (1e5, 1e6), Linear.zero(5, 3), cldr_context(None))
    assert summary.selected_step == 1


def example(text: str, pair: str | None = None) -> Example:
    return Example("0", "eng_Latn", text, pair)


def test_ngrams_of_words_and_characters() -> None:
    found = list(NgramLinear(words=2, characters=2).ngrams(example("Ab  c")))
    assert found == ["ab\t", "c\t", "ab\tc\t", " ", "a", "b", " ", "c", " ", " a", "ab", "b ", " c", "c "]
    assert list(NgramLinear(words=1, characters=0).ngrams(example("a", "b"))) == ["a\t", "b\t"]
    assert list(NgramLinear().ngrams(example(""))) == []


def test_features_are_tf_idf_of_unit_length() -> None:
    method = NgramLinear(words=1, characters=0, buckets=4096)
    rarity = np.ones(4096)
    row = method.features([example("a a b")], rarity).toarray()[0]
    assert sorted(row[row > 0]) == pytest.approx([1 / 5**0.5, 2 / 5**0.5])
    fitted = method.fit(TRAIN, DEV, cldr_context(None, "ngram-linear"))
    everywhere, nowhere = fitted.rarity.min(), fitted.rarity.max()
    assert 1.0 <= everywhere < 1.5
    assert nowhere == pytest.approx(np.log(len(TRAIN) + 1) + 1)


def test_ngram_linear_learns_saves_and_adapts(tmp_path: Path) -> None:
    train, dev, test = (toy.items(126, seed) for seed in (1, 2, 3))
    context = cldr_context(None, "ngram-linear")
    method = NgramLinear(buckets=4096)
    fitted = method.fit(train, dev, context)
    scores = fitted.predict(test.examples)
    assert (scores.argmax(1) == test.gold).mean() == 1.0
    assert (scores.shape, scores.dtype) == ((126, 7), np.float32)
    fitted.save(tmp_path)
    assert np.array_equal(method.load(tmp_path, context).predict(test.examples), scores)
    turned = Labelled(test.examples, (test.gold + 1) % len(LABELS))
    adapted = fitted.adapt(turned, turned, context)
    assert (adapted.predict(test.examples).argmax(1) == turned.gold).mean() > 0.9
    assert np.array_equal(fitted.predict(test.examples), scores)
    assert np.isfinite(fitted.predict([example(""), example("ꯃꯅꯤ")])).all()
    assert fitted.predict([]).shape == (0, 7)


@pytest.mark.parametrize("settings", [{"words": 0, "characters": 0}, {"words": -1}, {"buckets": 0}])
def test_impossible_sizes_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="ngram-linear needs words >= 0"):
        NgramLinear(**settings)
