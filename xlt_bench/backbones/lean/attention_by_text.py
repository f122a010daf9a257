"""Attention with dropped weights on a CPU, one text after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from xlt_bench.backbones.lean.dropout import masked, random_mask, scale_of


class HeadOrder:
    """Between rows of positions and vectors of heads.

    A matrix of rows has parts side by side, such as queries, keys and values, and in each part the heads. Vectors, one
    a position, part and head, lie by part, then by text, head and position: a head's of a text are a matrix.

    Args:
        lengths: rows of each text; texts lie one after the other.
        parts: how many.
        heads: of each part.
    """

    def __init__(self, lengths: Sequence[int], parts: int, heads: int) -> None:
        self._rows = sum(lengths)
        self._shapes = [(heads, length) for length in lengths] * parts
        self._sizes = [heads * length for length in lengths] * parts
        starts, of_head = torch.arange(self._rows) * parts * heads, torch.arange(heads)[:, None]
        by_head = torch.cat([(text + of_head).flatten() for text in starts.split(list(lengths))])
        self._index = torch.cat([by_head + part * heads for part in range(parts)])
        self._inverse = torch.empty_like(self._index).index_copy_(0, self._index, torch.arange(len(self._index)))

    @property
    def count(self) -> int:
        """Vectors."""
        return len(self._index)

    def vectors(self, matrix: Tensor) -> Tensor:
        """Those of a matrix, (vectors, width)."""
        return matrix[: self._rows].reshape(len(self._index), -1).index_select(0, self._index)

    def matrix(self, vectors: Tensor, rows: int) -> Tensor:
        """The matrix of so many rows that has these vectors; zero beyond its texts."""
        count, width = vectors.shape
        matrix = vectors.new_empty(rows, count * width // self._rows)
        matrix[self._rows :].zero_()
        torch.index_select(vectors, 0, self._inverse, out=matrix[: self._rows].view(count, width))
        return matrix

    def split(self, vectors: Tensor) -> list[Tensor]:
        """Views of each text's, (heads, length, width), part by part."""
        parts = zip(vectors.split(self._sizes), self._shapes, strict=True)
        return [part.view(*shape, vectors.shape[1]) for part, shape in parts]


class AttentionByText:
    """Attention of texts whose rows lie one after the other.

    Args:
        queries: of each text.
        positions: of each text.
        heads: how many.
        bias: added to each text's scores, (heads, queries, positions); None: nothing.
        parts: of the matrices that a call is given: (3,) of one with queries, keys and values, (1, 2) of one with
            queries and one with keys and values.
    """

    def __init__(
        self,
        queries: Sequence[int],
        positions: Sequence[int],
        heads: int,
        bias: Sequence[Tensor] | None,
        parts: tuple[int, ...],
    ) -> None:
        self.outputs = HeadOrder(queries, 1, heads)
        self.inputs = [HeadOrder(queries if number == 1 else positions, number, heads) for number in parts]
        self.bias = bias
        self._shapes = [(heads, *shape) for shape in zip(queries, positions, strict=True)]
        self._sizes = [heads * rows * columns for heads, rows, columns in self._shapes]

    def __call__(self, projections: Sequence[Tensor], share: float) -> Tensor:
        """What attention gives at the queries, (rows, d); rows beyond those of texts are zero.

        Args:
            projections: matrices with the parts side by side, each of width d.
            share: of the weights that are dropped.
        """
        outputs: Tensor = _AttentionByText.apply(self, share, *projections)  # type: ignore[no-untyped-call]
        return outputs

    @property
    def weight_count(self) -> int:
        """Attention weights of all texts."""
        return sum(self._sizes)

    def split(self, vectors: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Of the vectors of all inputs, views of each text's queries, keys and values, (heads, rows, width)."""
        parts = [text for order, of_order in zip(self.inputs, vectors, strict=True) for text in order.split(of_order)]
        texts = len(self._shapes)
        return parts[:texts], parts[texts : 2 * texts], parts[2 * texts :]

    def split_weights(self, weights: Tensor) -> list[Tensor]:
        """Views of each text's weights, (heads, queries, positions), of those of all in one row."""
        return [part.view(shape) for part, shape in zip(weights.split(self._sizes), self._shapes, strict=True)]


class _AttentionByText(torch.autograd.Function):
    """It keeps vectors, outputs, weights and what remains of them.

    Weights of all texts lie in one row, so that one operation drops some of them all. Products are written where they
    belong, and scaled on the way.
    """

    @staticmethod
    def forward(ctx: Any, texts: AttentionByText, share: float, *projections: Tensor) -> Tensor:
        vectors = [order.vectors(matrix) for order, matrix in zip(texts.inputs, projections, strict=True)]
        queries, keys, values = texts.split(vectors)
        ctx.texts, ctx.rows = texts, [len(matrix) for matrix in projections]
        ctx.scales = scale, remaining_scale = queries[0].shape[-1] ** -0.5, scale_of(share)
        weights = vectors[0].new_empty(texts.weight_count)
        for number, (scores, query, key) in enumerate(zip(texts.split_weights(weights), queries, keys, strict=True)):
            bias = None if texts.bias is None else texts.bias[number]
            _product(query, key.transpose(1, 2), scale, scores, bias)
            torch.softmax(scores, -1, out=scores)
        remaining = masked(weights, random_mask(weights.shape, share)) if share else weights
        outputs = weights.new_empty(texts.outputs.count, queries[0].shape[-1])
        for part, value, output in zip(
            texts.split_weights(remaining), values, texts.outputs.split(outputs), strict=True
        ):
            _product(part, value, remaining_scale, output)
        ctx.save_for_backward(weights, remaining, outputs, *vectors)
        return texts.outputs.matrix(outputs, ctx.rows[0])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, remaining, outputs, *vectors = ctx.saved_tensors
        texts: AttentionByText = ctx.texts
        scale, remaining_scale = ctx.scales
        queries, keys, values = texts.split(vectors)
        by_vector = [torch.empty_like(part) for part in vectors]
        by_query, by_key, by_value = texts.split(by_vector)
        by_output, by_weight = texts.outputs.vectors(gradient), torch.empty_like(weights)
        of_outputs, of_weights = texts.outputs.split(by_output), texts.split_weights(by_weight)

        for number, part in enumerate(texts.split_weights(remaining)):
            _product(part.transpose(1, 2), of_outputs[number], remaining_scale, by_value[number])
            _product(of_outputs[number], values[number].transpose(1, 2), remaining_scale, of_weights[number])
        # a score's gradient is w * (g - sum of w * g): of its weight w, whose gradient is g, and of those of its query
        by_weight.mul_(remaining)  # w * g; their sum is that of the output times its gradient
        sums = texts.outputs.split((by_output * outputs).sum(-1, keepdim=True))
        for number, part in enumerate(texts.split_weights(weights)):
            by_score = of_weights[number].addcmul_(part, sums[number], value=-1)
            _product(by_score, keys[number], scale, by_query[number])
            _product(by_score.transpose(1, 2), queries[number], scale, by_key[number])
        return (
            None,
            None,
            *(order.matrix(part, rows) for order, part, rows in zip(texts.inputs, by_vector, ctx.rows, strict=True)),
        )


def _product(first: Tensor, second: Tensor, scale: float, out: Tensor, plus: Tensor | None = None) -> None:
    """out = scale * first @ second + plus."""
    torch.baddbmm(out if plus is None else plus, first, second, beta=0 if plus is None else 1, alpha=scale, out=out)
