"""The methods without a backbone, against closed forms and a separable toy task."""

from __future__ import annotations

import numpy as np
import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context
from xlt_bench.methods.majority import Majority
from xlt_bench.methods.ngram_mlp import NgramMLP
from xlt_bench.recipe import preset_recipe
from xlt_bench.task import Example, Labelled

WORDS = (("kato", "kati", "kata"), ("zubu", "zubo", "zube"))


def toy(copies: int) -> Labelled:
    rows = [(word, gold) for gold, words in enumerate(WORDS) for word in words * copies]
    examples = tuple(Example(str(at), "xxx_Latn", word) for at, (word, _) in enumerate(rows))
    return Labelled(examples, np.array([gold for _, gold in rows]))


def context(seed: int = 0) -> Context:
    return Context(labels=("a", "b"), seed=seed, recipe=preset_recipe("cldr"))


def test_majority_predicts_the_most_frequent_class_of_train() -> None:
    train = toy(2).take([0, 1, 2, 6])
    scores = Majority().fit(train, train, context()).predict(toy(1).examples)
    assert scores.shape == (6, 2)
    assert np.allclose(scores, [0.75, 0.25])


def test_ngram_mlp_learns_what_characters_tell() -> None:
    fitted = NgramMLP(epochs=30, learning_rate=0.05).fit(toy(8), toy(1), context())
    assert (fitted.predict(toy(1).examples).argmax(1) == toy(1).gold).all()
    unseen = [Example("0", "yyy_Latn", "katu"), Example("1", "yyy_Latn", "zuba")]
    assert fitted.predict(unseen).argmax(1).tolist() == [0, 1]


def test_ngram_mlp_keeps_the_best_epoch_and_counts_its_parameters() -> None:
    method = NgramMLP(buckets=128, hidden=4, epochs=5)
    summary = method.fit(toy(4), toy(1), context()).summary
    best = max(point.dev_accuracy for point in summary.history)
    assert summary.selected_step == next(point.step for point in summary.history if point.dev_accuracy == best)
    assert summary.trainable_parameters == 128 * 4 + 4 * 2 + 2


def test_ngram_mlp_counts_every_ngram_of_the_text_between_spaces() -> None:
    (bag,) = NgramMLP(shortest=1, longest=2).bags([Example("0", "xxx_Latn", "ab")])
    assert len(bag) == 4 + 3


def test_ngram_mlp_refuses_impossible_sizes() -> None:
    with pytest.raises(ConfigError, match="1 <= shortest <= longest"):
        NgramMLP(shortest=3, longest=2)
