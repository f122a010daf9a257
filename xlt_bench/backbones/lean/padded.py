"""Texts behind their prompts, padded to one number of positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlt_bench.backbones.lean.attention import attention
from xlt_bench.backbones.lean.rows import RowLayout
from xlt_bench.backbones.read_out import last_tokens, mean_of
from xlt_bench.recipe import ReadOut


@dataclass(frozen=True)
class PaddedTexts:
    """All positions (see `Texts`). Tokens are handed over as (items, tokens, width).

    Attributes:
        mask: of the texts, (items, tokens), 1 where there is a token; padding on the right, or on either side.
        layout: of all positions.
        heads: of the attention.
        bias: added to attention scores, (items or 1, heads or 1, positions or 1, positions): minus infinity at padding,
            and the model's own bias by distance; None where there is neither.
    """

    mask: Tensor
    layout: RowLayout
    heads: int
    bias: Tensor | None

    @property
    def count(self) -> int:
        return self.layout.count

    def enter(self, prompts: Tensor, texts: Tensor) -> Tensor:
        matrix: Tensor = _Enter.apply(prompts, texts, self.layout)  # type: ignore[no-untyped-call]
        return matrix

    def attend(self, projections: Sequence[Tensor], share: float) -> Tensor:
        query, key, value = self.layout.by_head(projections[0], 3, self.heads)
        return self.layout.flat(attention(query, key, value, self.bias, share).transpose(1, 2))

    def reading(self, read_out: ReadOut, blanks: Tensor | None) -> PaddedReading:
        prompt = self.layout.positions - self.mask.shape[1]
        if blanks is None and read_out == "mean":
            return PaddedReading(self, slice(prompt, None), self.mask)
        if blanks is None and read_out == "first":
            return PaddedReading(self, slice(0, 1))
        tokens = last_tokens(self.mask) if blanks is None else blanks.to(self.mask.device)
        return PaddedReading(self, prompt + tokens)


class PaddedReading:
    """The positions of padded texts that a head reads (see `Reading`).

    Args:
        texts: all positions.
        queries: the positions that are read, the same of all texts, or one of each, (items,).
        mask: over which of them their mean is taken, (items, queries); None: one is read.
    """

    def __init__(self, texts: PaddedTexts, queries: slice | Tensor, mask: Tensor | None = None) -> None:
        self._texts = texts
        self._queries = queries
        self._mask = mask
        layout = texts.layout
        self._layout = RowLayout.of(layout.items, 1 if mask is None else mask.shape[1], texts.mask.device)
        self._bias = texts.bias
        if texts.bias is not None and texts.bias.shape[2] > 1:
            by_position = texts.bias.expand(layout.items, -1, -1, -1).transpose(1, 2)
            self._bias = self._of(by_position).transpose(1, 2)

    @property
    def count(self) -> int:
        return self._layout.count

    def take(self, matrix: Tensor) -> Tensor:
        return self._layout.flat(self._of(self._texts.layout.unflat(matrix)))

    def attend(self, projections: Sequence[Tensor], share: float) -> Tensor:
        (query,) = self._layout.by_head(projections[0], 1, self._texts.heads)
        key, value = self._texts.layout.by_head(projections[1], 2, self._texts.heads)
        return self._layout.flat(attention(query, key, value, self._bias, share).transpose(1, 2))

    def read(self, rows: Tensor) -> Tensor:
        states = self._layout.unflat(rows)
        return states[:, 0].float() if self._mask is None else mean_of(states, self._mask)

    def _of(self, states: Tensor) -> Tensor:
        """Of states by position, (items, positions, ...), those of these positions, (items, queries, ...)."""
        if isinstance(self._queries, slice):
            return states[:, self._queries]
        return states[torch.arange(len(states), device=states.device), self._queries][:, None]


class _Enter(torch.autograd.Function):
    """Prompts and texts side by side, written into one matrix at once."""

    @staticmethod
    def forward(ctx: Any, prompts: Tensor, texts: Tensor, layout: RowLayout) -> Tensor:
        ctx.layout, ctx.prompt = layout, prompts.shape[1]
        matrix = texts.new_empty(layout.rows, texts.shape[2])
        matrix[layout.count :].zero_()
        states = layout.unflat(matrix)
        states[:, : ctx.prompt] = prompts
        states[:, ctx.prompt :] = texts
        return matrix

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return ctx.layout.unflat(gradient)[:, : ctx.prompt], None, None
