"""Splits as token ids, ready to be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import MethodError
from xlt_bench.recipe import Recipe
from xlt_bench.task import Example, Labelled
from xlt_bench.tasks.sampling import stratified

_SHORTEST = 3
"""Tokens of a text that must fit: one, and the special tokens around it."""


@dataclass(frozen=True)
class TrainData:
    """Tokenised train and dev splits with their gold classes, shape (items,)."""

    train: Tokenised
    train_gold: NDArray[np.int64]
    dev: Tokenised
    dev_gold: NDArray[np.int64]


def text_limit(backbone: Backbone, recipe: Recipe, prompt: int) -> int:
    """Tokens of a text that fit: the recipe's limit, or what the backbone's positions leave beside the prompt.

    Raises:
        MethodError: a prompt of so many vectors leaves no room for text.
    """
    positions = backbone.architecture.positions
    limit = recipe.max_length if positions is None else min(recipe.max_length, positions - prompt)
    if limit < _SHORTEST:
        raise MethodError(
            f"a prompt of {prompt} vectors leaves no room for text: the backbone has {positions} positions"
        )
    return limit


def tokenise(examples: Sequence[Example], backbone: Backbone, recipe: Recipe, limit: int) -> Tokenised:
    """Token ids of the examples' texts, each behind the recipe's prefix."""
    return backbone.tokenise([(recipe.text_prefix + example.text, example.text_pair) for example in examples], limit)


def tokenised(train: Labelled, dev: Labelled, backbone: Backbone, recipe: Recipe, prompt: int) -> TrainData:
    """Tokenise both splits; dev is cut to the recipe's limit, stratified."""
    limit = text_limit(backbone, recipe, prompt)
    dev = stratified(dev, recipe.dev_limit)
    return TrainData(
        tokenise(train.examples, backbone, recipe, limit),
        train.gold,
        tokenise(dev.examples, backbone, recipe, limit),
        dev.gold,
    )
