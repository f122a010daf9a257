"""Texts as token ids, and their order in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_POOL = 50
"""Batches that are shuffled together before sorting by length, as in Hugging Face's length-grouped sampler."""


def tokens_at_once(device: torch.device) -> int:
    """Padded tokens for one pass: on a CPU as many as its caches hold with all that is kept for the backward pass."""
    return 32_768 if device.type == "cuda" else 1_280


@dataclass(frozen=True)
class Batch:
    """Padded on the right. `ids` and `mask` have shape (items, tokens), int64; `gold` (items,) where it is known."""

    ids: Tensor
    mask: Tensor
    gold: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: Tensor) -> Batch:
        """The items at these positions, padded to the longest of them."""
        mask = self.mask[index]
        width = int(mask.sum(1).max())
        return Batch(self.ids[index, :width], mask[:, :width], None if self.gold is None else self.gold[index])

    def blocks(self, tokens: int, prompt: int = 0) -> list[Batch]:
        """The batch in parts of like length and of at most so many padded tokens each, `prompt` vectors a text counted.

        Texts of one length keep their order; a batch that is small enough stays as it is.
        """
        if len(self) * (prompt + self.ids.shape[1]) <= tokens:
            return [self]
        lengths = self.mask.sum(1)
        order = torch.argsort(lengths, stable=True)
        return [self.take(order[part]) for part in _cut(lengths[order].tolist(), tokens, prompt)]


@dataclass(frozen=True)
class Tokenised:
    """Token ids of a list of texts, and what is needed to pad them."""

    ids: tuple[NDArray[np.int64], ...]
    pad_id: int

    @staticmethod
    def of(tokenizer: Any, texts: Sequence[tuple[str, str | None]], max_length: int) -> Tokenised:
        """Tokenise with the special tokens of the backbone's own tokenizer: each text as if it were alone."""
        rows: dict[int, NDArray[np.int64]] = {}
        for paired in (False, True):
            chosen = {at: text for at, text in enumerate(texts) if (text[1] is not None) == paired}
            if chosen:
                columns = list(zip(*chosen.values(), strict=True))[: 1 + paired]
                options = {"truncation": True, "max_length": max_length, "return_attention_mask": False}
                found = tokenizer(*map(list, columns), **options)["input_ids"]
                rows |= {at: np.asarray(row, np.int64) for at, row in zip(chosen, found, strict=True)}
        return Tokenised(tuple(rows[at] for at in range(len(texts))), int(tokenizer.pad_token_id))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.asarray([len(row) for row in self.ids], np.int64)

    def batch(self, index: Sequence[int] | NDArray[np.int64], gold: NDArray[np.int64] | None = None) -> Batch:
        """The texts at these positions, padded to the longest of them."""
        rows = [self.ids[int(i)] for i in index]
        ids = np.full((len(rows), max(map(len, rows))), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        labels = None if gold is None else torch.from_numpy(gold[np.asarray(index, np.int64)])
        return Batch(torch.from_numpy(ids), torch.from_numpy(mask), labels)

    def sorted_batches(self, prompt: int = 0, tokens: int = 8_192) -> Iterator[NDArray[np.int64]]:
        """Positions in batches of like length, shortest texts first.

        A batch has at most `tokens` padded tokens, a prompt of `prompt` vectors before each text counted in.
        """
        lengths = self.lengths
        order = np.argsort(lengths, kind="stable")
        for part in _cut(lengths[order].tolist(), tokens, prompt):
            yield order[part]


def _cut(lengths: Sequence[int], tokens: int, prompt: int) -> Iterator[slice]:
    """Runs of texts, sorted by length, of at most so many padded tokens; a longer text stands alone."""
    start = 0
    for end, length in enumerate(lengths):
        if end > start and (end + 1 - start) * (prompt + length) > tokens:
            yield slice(start, end)
            start = end
    if start < len(lengths):
        yield slice(start, len(lengths))


def merge(batches: Sequence[Batch], pad_id: int) -> tuple[Tensor, Tensor]:
    """Token ids and mask of several batches one below the other, padded to the longest."""
    width = max(batch.ids.shape[1] for batch in batches)
    ids = [torch.nn.functional.pad(batch.ids, (0, width - batch.ids.shape[1]), value=pad_id) for batch in batches]
    mask = [torch.nn.functional.pad(batch.mask, (0, width - batch.mask.shape[1])) for batch in batches]
    return torch.cat(ids), torch.cat(mask)


def batch_order(lengths: NDArray[np.int64], batch_size: int, seed: int, by_length: bool) -> Iterator[NDArray[np.int64]]:
    """Endless train batches: every epoch a new random order; the last batch of an epoch may be smaller.

    Args:
        lengths: tokens of each item.
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
