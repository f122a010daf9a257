"""Methods on the frozen backbone's mean-pooled states: the features against one text at a time, the rest by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.fits import DEV, LABELS, TEST, TRAIN, cldr_context
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.centroid import Centroids, NearestCentroid
from xlt_bench.methods.linear_probe import FittedProbe, LinearProbe
from xlt_bench.task import Example, Labelled
from xlt_bench.training.mean_pooled import MeanPooled

METHODS = (LinearProbe(), NearestCentroid())


def features(backbone: Backbone, examples: tuple[Example, ...]) -> np.ndarray:  # type: ignore[type-arg]
    """Mean states of each text on its own, from an encoder of transformers."""
    encoder, found = backbone.fresh_encoder(), []
    for example in examples:
        ids = backbone.tokenizer(example.text, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found.append(encoder(input_ids=ids).last_hidden_state[0].mean(0).numpy())
    return np.stack(found).astype(np.float64)


def test_features_are_means_over_each_texts_own_tokens(tiny_backbone: Backbone) -> None:
    pooled = MeanPooled(tiny_backbone, cldr_context(tiny_backbone).recipe)
    assert np.allclose(pooled(TEST.examples), features(tiny_backbone, TEST.examples), atol=1e-5)
    long = Example("0", "eng_Latn", "soup " * 600)
    assert np.isfinite(pooled([long, long._replace(text="")])).all()


def test_the_probe_is_logistic_regression_on_standardised_features(tiny_backbone: Backbone) -> None:
    fitted = LinearProbe().fit(TRAIN, DEV, cldr_context(tiny_backbone))
    vectors = features(tiny_backbone, TRAIN.examples)
    standard = (features(tiny_backbone, TEST.examples) - vectors.mean(0)) / vectors.std(0)
    assert np.allclose(fitted.predict(TEST.examples), fitted.model.logits(standard), atol=1e-3)
    assert fitted.summary.trainable_parameters == 32 * 7 + 7
    assert (fitted.predict(TEST.examples).argmax(1) == TEST.gold).mean() > 0.6


def test_centroids_are_the_closest_in_angle(tiny_backbone: Backbone) -> None:
    fitted = NearestCentroid().fit(TRAIN, DEV, cldr_context(tiny_backbone))
    train, test = features(tiny_backbone, TRAIN.examples), features(tiny_backbone, TEST.examples)
    centred, shown = train - train.mean(0), test - train.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    centroids = np.stack([unit[TRAIN.gold == cls].mean(0) for cls in range(7)])
    cosines = shown @ centroids.T / np.linalg.norm(shown, axis=1)[:, None] / np.linalg.norm(centroids, axis=1)
    assert np.allclose(fitted.predict(TEST.examples), cosines, atol=1e-5)
    assert fitted.summary.selected_step is None


def test_a_class_without_items_is_never_predicted(tiny_backbone: Backbone) -> None:
    two = TRAIN.take(np.flatnonzero(TRAIN.gold != 1))
    scores = NearestCentroid().fit(two, DEV, cldr_context(tiny_backbone)).predict(TEST.examples)
    assert (scores[:, 1] == -1.0).all()
    assert set(scores.argmax(1)) == {0, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_the_seed_changes_nothing(method: LinearProbe | NearestCentroid, tiny_backbone: Backbone) -> None:
    one, other = (method.fit(TRAIN, DEV, cldr_context(tiny_backbone, seed=seed)) for seed in (0, 1))
    assert np.array_equal(one.predict(TEST.examples), other.predict(TEST.examples))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_saved_and_loaded(method: LinearProbe | NearestCentroid, tiny_backbone: Backbone, tmp_path: Path) -> None:
    fitted = method.fit(TRAIN, DEV, cldr_context(tiny_backbone))
    fitted.save(tmp_path)
    loaded = method.load(tmp_path, cldr_context(tiny_backbone))
    assert np.array_equal(loaded.predict(TEST.examples), fitted.predict(TEST.examples))
    assert loaded.summary == fitted.summary


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_adapting_follows_the_target_and_leaves_the_source_fit(
    method: LinearProbe | NearestCentroid, tiny_backbone: Backbone
) -> None:
    fitted: FittedProbe | Centroids = method.fit(TRAIN, DEV, cldr_context(tiny_backbone))
    before = fitted.predict(TEST.examples)
    turned = Labelled(TEST.examples, (TEST.gold + 1) % len(LABELS))
    adapted = fitted.adapt(turned, turned, cldr_context(tiny_backbone))
    assert (adapted.predict(TEST.examples).argmax(1) == turned.gold).mean() > 0.6
    assert (before.argmax(1) == turned.gold).mean() < 0.4
    assert np.array_equal(fitted.predict(TEST.examples), before)
