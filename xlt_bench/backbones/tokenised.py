"""Texts as token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.backbones.batches import Batch, runs_of_like_length

Texts = Sequence[tuple[str, str | None]]
"""Texts, or pairs of texts."""
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Tokenised:
    """Token ids of a list of texts, and what is needed to make batches of them.

    Attributes:
        ids: of each text, (tokens,), int64.
        pad_id: of the padding token.
        segments: which text of a pair each token belongs to, as `ids`; None where the backbone does not
            tell them apart.
        modules: of the backbone that each text goes through, (texts,); None where all go through the same.
        blanks: position of the mask token that is to be filled in each text, (texts,); None where there is none.
        renderings: the same texts in a source language; None where there are none.
    """

    ids: tuple[Ids, ...]
    pad_id: int
    segments: tuple[Ids, ...] | None = None
    modules: Ids | None = None
    blanks: Ids | None = None
    renderings: Tokenised | None = None

    @staticmethod
    def of(tokenizer: Any, texts: Texts, max_length: int, segments: bool = False) -> Tokenised:
        """Tokenise with the special tokens of the backbone's own tokenizer: each text as if no other were there.

        A text of no tokens at all, which only a tokenizer without special tokens gives, becomes one special token.
        """
        rows: list[tuple[Ids, Ids]] = [(np.zeros(0, np.int64),) * 2] * len(texts)
        for paired in (False, True):
            index = [position for position, text in enumerate(texts) if (text[1] is not None) == paired]
            if index:
                columns = list(zip(*(texts[position] for position in index), strict=True))[: 1 + paired]
                encoded = tokenizer(
                    *map(list, columns),
                    truncation=True,
                    max_length=max_length,
                    return_attention_mask=False,
                    return_token_type_ids=segments,
                )
                kinds = encoded["token_type_ids"] if segments else encoded["input_ids"]
                for position, ids, kind in zip(index, encoded["input_ids"], kinds, strict=True):
                    rows[position] = np.asarray(ids, np.int64), np.asarray(kind, np.int64)
        rows = [row if len(row[0]) else (_stand_in(tokenizer), np.zeros(1, np.int64)) for row in rows]
        ids, segment_ids = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
        return Tokenised(ids, int(tokenizer.pad_token_id), segment_ids if segments else None)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Ids:
        """Tokens of each text."""
        return np.asarray([len(row) for row in self.ids], np.int64)

    def batch(self, index: Sequence[int] | Ids, gold: Ids | None = None) -> Batch:
        """The texts at these positions, padded to the longest of them and of their renderings."""
        rows = [self.ids[int(i)] for i in index]
        ids = np.full((len(rows), max(map(len, rows))), self.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        positions = np.asarray(index, np.int64)
        labels, modules, blanks = (
            None if values is None else torch.from_numpy(values[positions])
            for values in (gold, self.modules, self.blanks)
        )
        segments = self._segments(index, ids.shape)
        batch = Batch(torch.from_numpy(ids), torch.from_numpy(mask), labels, segments, modules=modules, blanks=blanks)
        return batch if self.renderings is None else batch.beside(self.renderings.batch(index), self.pad_id)

    def _segments(self, index: Sequence[int] | Ids, shape: tuple[int, ...]) -> torch.Tensor | None:
        if self.segments is None:
            return None
        segments = np.zeros(shape, np.int64)
        for i, position in enumerate(index):
            row = self.segments[int(position)]
            segments[i, : len(row)] = row
        return torch.from_numpy(segments) if segments.any() else None

    def sorted_batches(self, prompt: int = 0, tokens: int = 8_192) -> Iterator[Ids]:
        """Positions in batches of like length, shortest texts first.

        A batch has at most `tokens` padded tokens, a prompt of `prompt` vectors before each text counted in.
        """
        lengths = self.lengths
        order = np.argsort(lengths, kind="stable")
        for part in runs_of_like_length(lengths[order].tolist(), tokens, prompt):
            yield order[part]


def _stand_in(tokenizer: Any) -> Ids:
    """The first special token that the tokenizer has, where a text has no token."""
    tokens = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
    return np.asarray([next(token for token in tokens if token is not None)], np.int64)
