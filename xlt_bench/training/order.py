"""Which items make a batch, and in which order batches come."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

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
