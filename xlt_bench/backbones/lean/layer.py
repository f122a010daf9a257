"""One layer over frozen weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xlt_bench.backbones.lean.norm import add_and_norm
from xlt_bench.backbones.lean.parts import LayerParts
from xlt_bench.backbones.lean.products import activated, linear
from xlt_bench.backbones.lean.texts import Positions


class Layer:
    """One layer over frozen weights; its queries, keys and values lie in one matrix, which the model's parts share.

    States are matrices, (rows, d).
    """

    def __init__(self, parts: LayerParts) -> None:
        projections = (parts.query, parts.key, parts.value)
        self._weight = torch.cat([part.weight for part in projections])
        self._bias = torch.cat([part.bias for part in projections])
        for part, weight, bias in zip(projections, self._weight.chunk(3), self._bias.chunk(3), strict=True):
            part.weight.data, part.bias.data = weight, bias  # views: the weights lie in memory once
        self._parts = parts

    def project(self, states: Tensor) -> Tensor:
        """Queries, keys and values of all positions, side by side; states of any shape (..., d)."""
        return linear(states, self._weight, self._bias)

    def queries_of(self, read: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        """Queries of some positions, (rows, d), and keys and values of all, (rows, 2 d), from the states of both."""
        width = states.shape[-1]
        queries = linear(read, self._weight[:width], self._bias[:width])
        return queries, linear(states, self._weight[width:], self._bias[width:])

    def __call__(self, states: Tensor, positions: Positions, projections: Sequence[Tensor], fitting: bool) -> Tensor:
        """The layer's output for the positions that have a query, (rows, d).

        Args:
            states: inputs at those positions, (rows, d).
            positions: how they lie there.
            projections: see `Positions.attend`.
            fitting: whether states and attention weights are dropped.
        """
        parts, count = self._parts, positions.count
        dropped = parts.dropout if fitting else 0.0
        mixed = positions.attend(projections, parts.attention_dropout if fitting else 0.0)
        states = add_and_norm(mixed, states, parts.attended, parts.attended_norm, count, dropped)
        inner = activated(states, parts.widened, parts.activation)
        return add_and_norm(inner, states, parts.narrowed, parts.narrowed_norm, count, dropped)
