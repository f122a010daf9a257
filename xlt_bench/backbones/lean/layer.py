"""One layer over frozen weights."""

from __future__ import annotations

import torch
from torch import Tensor

from xlt_bench.backbones.lean.attention import attention
from xlt_bench.backbones.lean.norm import add_and_norm
from xlt_bench.backbones.lean.parts import LayerParts
from xlt_bench.backbones.lean.products import linear
from xlt_bench.backbones.lean.rows import RowLayout

QueriesKeysValues = tuple[Tensor, Tensor, Tensor]


class Layer:
    """One layer over frozen weights; its queries, keys and values lie in one matrix, which the model's parts share.

    States are matrices, (rows, d), as `RowLayout` lays positions out.
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

    def split(self, projected: Tensor, layout: RowLayout) -> QueriesKeysValues:
        """What `project` gave of a matrix, each part as (items, heads, positions, d / heads)."""
        query, key, value = layout.by_head(projected, 3, self._parts.heads)
        return query, key, value

    def queries_of(self, read: Tensor, states: Tensor, layout: RowLayout) -> QueriesKeysValues:
        """Queries of some positions, keys and values of all.

        Args:
            read: states of those positions, (items, queries, d).
            states, layout: of all.
        """
        width, heads = states.shape[-1], self._parts.heads
        weight, bias = self._weight[:width], self._bias[:width]
        read_layout = RowLayout.of(read)
        rows = read_layout.flat(read)
        # to strided states torch adds a bias after the product, in bfloat16 with a rounding of its own
        projected = linear(rows, weight, bias) if read.is_contiguous() else linear(rows, weight, None) + bias
        (query,) = read_layout.by_head(projected, 1, heads)
        key, value = layout.by_head(linear(states, self._weight[width:], self._bias[width:]), 2, heads)
        return query, key, value

    def __call__(
        self,
        states: Tensor,
        layout: RowLayout,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        dropped: float,
    ) -> Tensor:
        """The layer's output for the positions that have a query.

        Args:
            states: inputs at those positions, (rows, d).
            layout: how they lie there.
            query: (items, heads, queries, d / heads).
            key, value: (items, heads, positions, d / heads).
            bias: added to attention scores, broadcast to (items, heads, queries, positions).
            dropped: share of the states that is dropped; 0 where nothing is, attention weights included.
        """
        parts, count = self._parts, layout.items * layout.positions
        mixed = attention(query, key, value, bias, parts.attention_dropout if dropped else 0.0)
        mixed = layout.flat(mixed.transpose(1, 2))
        states = add_and_norm(mixed, states, parts.attended, parts.attended_norm, count, dropped)
        inner = parts.activation(linear(states, parts.widened.weight, parts.widened.bias))
        return add_and_norm(inner, states, parts.narrowed, parts.narrowed_norm, count, dropped)
