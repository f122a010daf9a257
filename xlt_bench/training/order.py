"""Which items make a batch, and in which order batches come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.recipe import Order

if TYPE_CHECKING:
    from xlt_bench.training.data import TrainData

Index = NDArray[np.int64]

_POOL = 50
"""Batches that are shuffled together before sorting by length; at most so many in Hugging Face's sampler."""


def batch_order(lengths: Index, batch_size: int, seed: int, order: Order = "random") -> Iterator[Index]:
    """Endless train batches: every epoch a new random order; the last batch of an epoch may be smaller.

    Args:
        lengths: tokens of each item.
        batch_size: items of a batch.
        seed: what the order follows from.
        order: `random`; `by-length`, items of like length together, within pools of 50 batches, and the batches
            shuffled; `length-grouped`, the same as Hugging Face's Trainer does it (see `length_grouped`).
    """
    if order == "length-grouped":
        stream = int(np.random.SeedSequence([seed, 0xDA7A]).generate_state(1)[0])
        return length_grouped(lengths, batch_size, torch.Generator().manual_seed(stream))
    return _shuffled(lengths, batch_size, np.random.default_rng([seed, 0xDA7A]), pooled=order == "by-length")


def _shuffled(lengths: Index, batch_size: int, random: np.random.Generator, pooled: bool) -> Iterator[Index]:
    items = len(lengths)
    while True:
        rows = random.permutation(items)
        if not pooled:
            yield from _cut(rows, batch_size)
            continue
        batches = list(_cut(_longest_first(rows, lengths, batch_size * _POOL), batch_size))
        yield from (batches[i] for i in random.permutation(len(batches)))


def length_grouped(lengths: Index, batch_size: int, generator: torch.Generator) -> Iterator[Index]:
    """The batches of Hugging Face's `LengthGroupedSampler`, epoch after epoch, from the same generator.

    A mega-batch has 50 batches or a fourth of the items, whichever is less. Within one the items stand by length, the
    longest first, and batches are not shuffled; the longest item of all changes places with the very first.
    """
    items = len(lengths)
    mega_batch = batch_size * max(1, min(items // (batch_size * 4), _POOL))
    while True:
        rows = _longest_first(torch.randperm(items, generator=generator).numpy(), lengths, mega_batch)
        starts = np.arange(0, items, mega_batch)
        longest = starts[np.argmax(lengths[rows[starts]])]
        rows[[0, longest]] = rows[[longest, 0]]
        yield from _cut(rows, batch_size)


def _longest_first(rows: Index, lengths: Index, pool: int) -> Index:
    """The rows sorted by length within each pool of so many."""
    parts = _cut(rows, pool)
    return np.concatenate([part[np.argsort(-lengths[part], kind="stable")] for part in parts])


def _cut(rows: Index, size: int) -> Iterator[Index]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


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
    groups = _parallel_groups(data)
    while True:
        parts = []
        for group in groups:
            members = random.permutation(group)
            parts += [members[start : start + together] for start in range(0, len(members), together)]
        order = np.concatenate([parts[i] for i in random.permutation(len(parts))])
        yield from (order[start : start + batch_size] for start in range(0, len(order), batch_size))


def pairs(data: TrainData, batch_size: int, seed: int) -> Iterator[Index]:
    """Endless batches of pairs: row i of the first half and row i of the second say the same in different languages.

    Every epoch pairs the items anew, at random. One that is left over, or has no translation, is paired with itself,
    so that the two differ in dropout only. A batch has as many texts as any other, but for an odd one.
    """
    random = np.random.default_rng([seed, 0xDA7A])
    groups = _parallel_groups(data)
    while True:
        members = [random.permutation(group) for group in groups]
        even = [np.append(rows, rows[-1:]) if len(rows) % 2 else rows for rows in members]
        order = random.permutation(np.concatenate(even).reshape(-1, 2))
        yield from (part.T.reshape(-1) for part in _cut(order, max(batch_size // 2, 1)))


def _parallel_groups(data: TrainData) -> list[Index]:
    """The rows of the items that say the same, group by group."""
    numbers = data.train.origin.parallel[: data.items].numpy()
    by_number = np.argsort(numbers, kind="stable")
    return np.split(by_number, np.flatnonzero(np.diff(numbers[by_number])) + 1)


def all_views(batches: Iterator[Index], items: int, views: int) -> Iterator[Index]:
    """Every batch with each of its items in all views: first all items as they are, then all in the next view.

    Args:
        batches: of items.
        items: of the train split (`TrainData.items`).
        views: how many there are, the items as they are counted in; a repeated row is a view too, with dropout of
            its own: `(np.tile(index, 2) for index in batches)`.
    """
    return (np.concatenate([index + view * items for view in range(views)]) for index in batches)
