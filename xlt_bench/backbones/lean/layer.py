"""One layer over frozen weights."""

from __future__ import annotations

import torch
from torch import Tensor

from xlt_bench.backbones.lean.arithmetic import add_and_norm, attention, linear
from xlt_bench.backbones.lean.parts import LayerParts

QueriesKeysValues = tuple[Tensor, Tensor, Tensor]


class Layer:
    """One layer over frozen weights; its queries, keys and values lie in one matrix, which the model's parts share."""

    def __init__(self, parts: LayerParts) -> None:
        projections = (parts.query, parts.key, parts.value)
        self._weight = torch.cat([part.weight for part in projections])
        self._bias = torch.cat([part.bias for part in projections])
        for part, weight, bias in zip(projections, self._weight.chunk(3), self._bias.chunk(3), strict=True):
            part.weight.data, part.bias.data = weight, bias  # views: the weights lie in memory once
        self._parts = parts

    def project(self, states: Tensor) -> Tensor:
        """Queries, keys and values of all positions, side by side."""
        return linear(states, self._weight, self._bias)

    def split(self, projected: Tensor) -> QueriesKeysValues:
        """What `project` gave, each part as (items, heads, positions, d / heads)."""
        query, key, value = self._by_head(projected)
        return query, key, value

    def queries_of(self, rows: Tensor, states: Tensor) -> QueriesKeysValues:
        """Queries of some rows, keys and values of all."""
        width = states.shape[-1]
        (query,) = self._by_head(linear(rows, self._weight[:width], self._bias[:width]))
        key, value = self._by_head(linear(states, self._weight[width:], self._bias[width:]))
        return query, key, value

    def _by_head(self, projected: Tensor) -> tuple[Tensor, ...]:
        """Parts of width d, each as (items, heads, positions, d / heads)."""
        count = projected.shape[-1] * 3 // self._weight.shape[0]
        unflattened = projected.unflatten(-1, (count, self._parts.heads, -1))
        return tuple(part.transpose(1, 2) for part in unflattened.unbind(2))

    def __call__(
        self, states: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float
    ) -> Tensor:
        """The layer's output for the positions that have a query.

        Args:
            states: inputs at those positions, (items, queries, d).
            query: (items, heads, queries, d / heads).
            key, value: (items, heads, positions, d / heads).
            bias: added to attention scores, broadcast to (items, heads, queries, positions).
            dropped: share of the states that is dropped; 0 where nothing is, attention weights included.
        """
        parts = self._parts
        mixed = attention(query, key, value, bias, parts.attention_dropout if dropped else 0.0)
        states = add_and_norm(mixed.transpose(1, 2).flatten(2), states, parts.attended, parts.attended_norm, dropped)
        inner = parts.activation(linear(states, parts.widened.weight, parts.widened.bias))
        return add_and_norm(inner, states, parts.narrowed, parts.narrowed_norm, dropped)
