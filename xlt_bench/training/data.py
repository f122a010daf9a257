"""Splits as token ids, ready to be trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.batches import Batch, Origin
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import Activity, Context
from xlt_bench.recipe import Recipe
from xlt_bench.resources import SOURCE_PARALLEL
from xlt_bench.task import Example, Labelled, concatenate
from xlt_bench.tasks.sampling import stratified

NO_CLASS = -1
"""In the place of a gold class, of a text without label."""


@dataclass(frozen=True)
class TokenisedSplit:
    """A split as token ids, with gold classes, shape (rows,), and where its rows come from."""

    texts: Tokenised
    gold: NDArray[np.int64]
    origin: Origin

    def __len__(self) -> int:
        return len(self.texts)

    def batch(self, index: NDArray[np.int64]) -> Batch:
        """These rows, padded to the longest of them."""
        return replace(self.texts.batch(index, self.gold), origin=self.origin.take(torch.from_numpy(index)))


@dataclass(frozen=True)
class TrainData:
    """Train and dev split.

    Attributes:
        train: the items, after them their further views, and then texts without labels, whose class is NO_CLASS.
        dev: what selects the checkpoint.
        items: of the train split, without further views and texts without labels.
    """

    train: TokenisedSplit
    dev: TokenisedSplit
    items: int


def text_limit(backbone: Backbone, recipe: Recipe, prompt: int) -> int:
    """Tokens of a text that fit: the recipe's limit, or what the backbone's positions leave beside the prompt.

    Raises:
        MethodError: a prompt of so many vectors leaves no room for text.
    """
    try:
        return backbone.architecture.text_limit(recipe.max_length, prompt)
    except ConfigError as error:
        raise MethodError(str(error)) from error


def tokenise(examples: Sequence[Example], backbone: Backbone, recipe: Recipe, limit: int) -> Tokenised:
    """Token ids of the examples' texts, each behind the recipe's prefix, and the modules that each goes through.

    Where examples have renderings in a source language, those too; one without is its own.
    """
    pairs = [(recipe.text_prefix + example.text, example.text_pair) for example in examples]
    texts = backbone.tokenise(pairs, limit)
    if any(example.rendering is not None for example in examples):
        renderings = [example.rendering or (example.text, example.text_pair) for example in examples]
        prefixed = [(recipe.text_prefix + text, text_pair) for text, text_pair in renderings]
        texts = replace(texts, renderings=backbone.tokenise(prefixed, limit))
    modules = backbone.architecture.modules_of([example.language for example in examples])
    return texts if modules is None else replace(texts, modules=modules)


Encode = Callable[[Sequence[Example], Context, int], Tokenised]
"""Token ids of examples for a fit, of at most so many tokens each."""


def encode_texts(examples: Sequence[Example], context: Context, limit: int) -> Tokenised:
    """The usual `Encode`: the texts as they are."""
    return tokenise(examples, context.backbone, context.recipe, limit)


def tokenised(
    train: Labelled,
    dev: Labelled,
    context: Context,
    prompt: int,
    views: Sequence[Labelled] = (),
    encode: Encode = encode_texts,
    unlabelled: Sequence[Example] = (),
) -> TrainData:
    """Tokenise both splits; dev is cut to the recipe's limit, stratified.

    Args:
        train, dev: the splits.
        context: of the fit.
        prompt: positions that are taken from the texts.
        views: see `TrainingHooks.views`.
        encode: how texts become token ids.
        unlabelled: see `TrainingHooks.unlabelled`.

    Raises:
        MethodError: no room for text, or a view with more or fewer items than the train split.
    """
    backbone, recipe = context.backbone, context.recipe
    limit = text_limit(backbone, recipe, prompt)
    dev = stratified(dev, recipe.dev_limit)
    sizes = sorted({len(view) for view in views} - {len(train)})
    if sizes:
        raise MethodError(f"a view of the {len(train)} train items has {sizes[0]} items; views go item by item")

    def split(part: Labelled, items: int, unlabelled: int = 0) -> TokenisedSplit:
        origin = origin_of(part.examples, items, unlabelled, parallel=SOURCE_PARALLEL in context.resources)
        return TokenisedSplit(encode(part.examples, context, limit), part.gold, origin)

    without_labels = Labelled(tuple(unlabelled), np.full(len(unlabelled), NO_CLASS))
    all_train = concatenate([train, *views, without_labels])
    context.progress.activity(Activity("encoding", f"{len(all_train) + len(dev)} texts as tokens"))
    data = TrainData(split(all_train, len(train), len(unlabelled)), split(dev, len(dev)), len(train))
    backbone.source.release_tokenizer()  # nothing is tokenised until the fit predicts
    return data


def origin_of(examples: Sequence[Example], items: int, unlabelled: int = 0, *, parallel: bool = False) -> Origin:
    """Where rows come from; every `items` rows are one view of all items.

    Args:
        unlabelled: so many rows at the end are items of their own.
        parallel: whether items with one id say the same, and the method may use it.
    """
    languages = tuple(sorted({example.language for example in examples}))
    numbers = {code: number for number, code in enumerate(languages)}
    ids: dict[str, int] = {}
    groups = [ids.setdefault(example.id, len(ids)) for example in examples]
    rows, in_views = torch.arange(len(examples)), len(examples) - unlabelled
    return Origin(
        item=torch.where(rows < in_views, rows % max(items, 1), rows - in_views + items),
        language=torch.tensor([numbers[example.language] for example in examples], dtype=torch.int64),
        languages=languages,
        groups=torch.tensor(groups, dtype=torch.int64) if parallel else None,
    )
