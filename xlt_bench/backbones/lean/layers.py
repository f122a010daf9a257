"""All layers, one after the other, the last one for those positions only that a head reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.rows import RowLayout
from xlt_bench.backbones.read_out import last_tokens, mean_of
from xlt_bench.recipe import ReadOut


class LeanLayers(nn.Module):
    """All layers: a module, so that torch's hooks for every module see a pass through them, as with any other model."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = layers

    @property
    def first(self) -> Layer:
        """The layer that words enter."""
        return self._layers[0]

    def forward(self, states: Tensor, projected: Tensor, bias: Tensor | None, rows: ReadRows, dropped: float) -> Tensor:
        """What a head reads, (items, d) in float32.

        Args:
            states: input of the first layer, (items, positions, d).
            projected: its queries, keys and values, (items, positions, 3 d).
            bias: added to attention scores (see `Words`).
            rows: which positions are read.
            dropped: share of the states that is dropped.
        """
        *lower, last = self._layers
        layout = RowLayout.of(states)
        matrix = layout.flat(states)
        for number, layer in enumerate(lower):
            query, key, value = layer.split(projected.flatten(0, 1) if number == 0 else layer.project(matrix), layout)
            matrix = layer(matrix, layout, query, key, value, bias, dropped)
        read = rows.of(layout.unflat(matrix))
        read_layout = RowLayout.of(read)
        query, key, value = last.queries_of(read, matrix, layout)
        outputs = last(read_layout.flat(read), read_layout, query, key, value, rows.of_bias(bias), dropped)
        return rows.read(read_layout.unflat(outputs))


class ReadRows:
    """The positions that a head reads, and what it makes of their states.

    Args:
        mask: of the texts, (items, tokens).
        positions: of prompt and text together.
        read_out: which states.
        blanks: position in each text of the token that is read instead, (items,); None: as the read-out says.
    """

    def __init__(self, mask: Tensor, positions: int, read_out: ReadOut, blanks: Tensor | None = None) -> None:
        self._mask = mask
        self._read_out = read_out if blanks is None else None
        self._blanks = blanks
        self._prompt = positions - mask.shape[1]
        self._items = torch.arange(len(mask), device=mask.device)

    def of(self, states: Tensor) -> Tensor:
        """Their states, (items, rows, d), of the states of all positions."""
        if self._read_out == "first":
            return states[:, :1]
        if self._read_out == "mean":
            return states[:, self._prompt :]
        return states[self._items, self._token][:, None]

    def of_bias(self, bias: Tensor | None) -> Tensor | None:
        """Their part of a bias on attention scores, which may be the same at all positions."""
        if bias is None or bias.shape[2] == 1:
            return bias
        if self._read_out == "first":
            return bias[:, :, :1]
        if self._read_out == "mean":
            return bias[:, :, self._prompt :]
        rows = bias.expand(len(self._items), -1, -1, -1)[self._items, :, self._token]
        return rows[:, :, None]

    def read(self, states: Tensor) -> Tensor:
        """What the head reads, (items, d) in float32, of these rows after the last layer."""
        return mean_of(states, self._mask) if self._read_out == "mean" else states[:, 0].float()

    @property
    def _token(self) -> Tensor:
        """Position of the token that is read of each text: its blank, or else its last."""
        tokens = last_tokens(self._mask) if self._blanks is None else self._blanks.to(self._mask.device)
        return self._prompt + tokens
