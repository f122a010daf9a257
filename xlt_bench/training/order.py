"""Which items make a batch, and in which order batches come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from xlt_bench.training.data import TrainData

Index = NDArray[np.int64]

_POOL = 50
"""Batches that are shuffled together before sorting by length, as in Hugging Face's length-grouped sampler."""


def batch_order(lengths: Index, batch_size: int, seed: int, by_length: bool) -> Iterator[Index]:
    """Endless train batches: every epoch a new random order; the last batch of an epoch may be smaller.

    Args:
        lengths: tokens of each item.
        batch_size: items of a batch.
        seed: what the order follows from.
        by_length: put items of like length together, within pools of 50 batches, and shuffle the batches.
    """
    random = np.random.default_rng([seed, 0xDA7A])
    items = len(lengths)
    while True:
        order = random.permutation(items)
        if by_length:
            pool = batch_size * _POOL
            pools = [order[start : start + pool] for start in range(0, items, pool)]
            order = np.concatenate([part[np.argsort(-lengths[part], kind="stable")] for part in pools])
        batches = [order[start : start + batch_size] for start in range(0, items, batch_size)]
        if by_length:
            batches = [batches[i] for i in random.permutation(len(batches))]
        yield from batches


def by_language(data: TrainData, batch_size: int, seed: int) -> Iterator[Index]:
    """Endless batches of one language each; every epoch visits every item once."""
    random = np.random.default_rng([seed, 0xDA7A])
    languages = data.train.origin.language[: data.items].numpy()
    while True:
        batches = []
        for language in np.unique(languages):
            order = random.permutation(np.flatnonzero(languages == language))
            batches += [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        yield from (batches[i] for i in random.permutation(len(batches)))


def parallel(data: TrainData, batch_size: int, seed: int, together: int = 2) -> Iterator[Index]:
    """Endless batches in which up to `together` items that say the same follow each other, in different languages.

    Every epoch visits every item once. Where a language has no translation of an item, fewer stand together.
    """
    random = np.random.default_rng([seed, 0xDA7A])
    numbers = data.train.origin.parallel[: data.items].numpy()
    by_number = np.argsort(numbers, kind="stable")
    groups = np.split(by_number, np.flatnonzero(np.diff(numbers[by_number])) + 1)
    while True:
        parts = []
        for group in groups:
            members = random.permutation(group)
            parts += [members[start : start + together] for start in range(0, len(members), together)]
        order = np.concatenate([parts[i] for i in random.permutation(len(parts))])
        yield from (order[start : start + batch_size] for start in range(0, len(order), batch_size))


def all_views(batches: Iterator[Index], items: int, views: int) -> Iterator[Index]:
    """Every batch with each of its items in all views: first all items as they are, then all in the next view.

    Args:
        batches: of items.
        items: of the train split (`TrainData.items`).
        views: how many there are, the items as they are counted in; a repeated row is a view too, with dropout of
            its own: `(np.tile(index, 2) for index in batches)`.
    """
    return (np.concatenate([index + view * items for view in range(views)]) for index in batches)
