"""Texts behind their prompts without padding, of each as many rows as it has positions.

Where attention weights are dropped on a CPU, no single operation of torch's computes attention, and in float32 it takes
no longer text by text than over padded texts. So nothing is padded, and every product has fewer rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn import functional

from xlt_bench.backbones.lean.attention_by_text import AttentionByText
from xlt_bench.backbones.lean.rows import rounded_up
from xlt_bench.recipe import ReadOut


@dataclass(frozen=True)
class PackedTexts:
    """All positions, text by text, each behind its prompt (see `Texts`).

    Tokens are handed over as those of all texts together, (tokens, width).

    Attributes:
        prompt: vectors of a prompt.
        lengths: positions of each text, its prompt's counted.
        heads: of the attention.
        bias: added to attention scores, (heads, longest, longest); None: nothing.
    """

    prompt: int
    lengths: tuple[int, ...]
    heads: int
    bias: Tensor | None = None

    @staticmethod
    def of(mask: Tensor, prompt: int, heads: int, bias: Tensor | None) -> PackedTexts:
        """For texts with this mask, (items, tokens), that are padded on the right."""
        return PackedTexts(prompt, tuple(prompt + length for length in mask.sum(1).tolist()), heads, bias)

    @property
    def count(self) -> int:
        return sum(self.lengths)

    def enter(self, prompts: Tensor, texts: Tensor) -> Tensor:
        matrix = texts.new_zeros(rounded_up(self.count, texts.device), texts.shape[1])
        matrix[: self.count][~self._is_prompt] = texts
        return matrix.index_copy_(0, self._is_prompt.nonzero()[:, 0], prompts.flatten(0, 1))

    @cached_property
    def _is_prompt(self) -> Tensor:
        """Of each row."""
        return torch.cat([torch.arange(length) < self.prompt for length in self.lengths])

    def attend(self, projections: Sequence[Tensor], share: float) -> Tensor:
        return self._attention(projections, share)

    @cached_property
    def _attention(self) -> AttentionByText:
        """The same in all layers."""
        bias = None if self.bias is None else [self.bias[:, :length, :length] for length in self.lengths]
        return AttentionByText(self.lengths, self.lengths, self.heads, bias, parts=(3,))

    def reading(self, read_out: ReadOut, blanks: Tensor | None) -> PackedReading:
        if blanks is not None:
            queries = [slice(self.prompt + token, self.prompt + token + 1) for token in blanks.tolist()]
        elif read_out == "first":
            queries = [slice(0, 1) for _ in self.lengths]
        elif read_out == "last":
            queries = [slice(length - 1, length) for length in self.lengths]
        else:
            queries = [slice(self.prompt, length) for length in self.lengths]
        return PackedReading(self, tuple(queries))


@dataclass(frozen=True)
class PackedReading:
    """The positions of packed texts that a head reads (see `Reading`): the mean of a text's states.

    Attributes:
        texts: all positions.
        queries: the positions of each text that are read.
    """

    texts: PackedTexts
    queries: tuple[slice, ...]

    @property
    def count(self) -> int:
        return sum(self._counts)

    @property
    def _counts(self) -> tuple[int, ...]:
        return tuple(positions.stop - positions.start for positions in self.queries)

    def take(self, matrix: Tensor) -> Tensor:
        starts = accumulate(self.texts.lengths, initial=0)
        parts = [torch.arange(at + part.start, at + part.stop) for part, at in zip(self.queries, starts, strict=False)]
        extra = rounded_up(self.count, matrix.device) - self.count
        return functional.pad(matrix.index_select(0, torch.cat(parts)), (0, 0, 0, extra))

    def attend(self, projections: Sequence[Tensor], share: float) -> Tensor:
        lengths, bias = self.texts.lengths, self.texts.bias
        parts = zip(self.queries, lengths, strict=True)
        biases = None if bias is None else [bias[:, query, :length] for query, length in parts]
        return AttentionByText(self._counts, lengths, self.texts.heads, biases, parts=(1, 2))(projections, share)

    def read(self, rows: Tensor) -> Tensor:
        return torch.stack([part.float().mean(0) for part in rows[: self.count].split(self._counts)])
