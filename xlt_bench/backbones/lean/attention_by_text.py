"""Attention with dropped weights on a CPU, one text after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xlt_bench.backbones.lean.dropout import masked, random_mask, scale_of


@dataclass(frozen=True)
class TextSizes:
    """Sizes of texts whose rows lie one after the other.

    Attributes:
        queries: of each text.
        positions: of each text.
        heads: of the attention.
    """

    queries: tuple[int, ...]
    positions: tuple[int, ...]
    heads: int

    def split(self, projections: Sequence[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]:
        """Views of each text's queries, keys and values, (heads, rows, d / heads); see `attention_by_text`."""
        width = _width(projections)
        query, key, value = (
            projections[0][:, :width],
            projections[-1][:, -2 * width : -width],
            projections[-1][:, -width:],
        )
        return self.split_outputs(query), self._by_text(key, self.positions), self._by_text(value, self.positions)

    def split_outputs(self, outputs: Tensor) -> Sequence[Tensor]:
        """Views of each text's outputs, (heads, queries, d / heads)."""
        return self._by_text(outputs, self.queries)

    def split_weights(self, weights: Tensor) -> list[Tensor]:
        """Views of each text's weights, (heads, queries, positions), of those of all in one row."""
        shapes = [(self.heads, *shape) for shape in zip(self.queries, self.positions, strict=True)]
        parts = weights.split([heads * queries * positions for heads, queries, positions in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    @property
    def weights(self) -> int:
        """Attention weights of all texts."""
        return self.heads * sum(q * n for q, n in zip(self.queries, self.positions, strict=True))

    def _by_text(self, rows: Tensor, counts: Sequence[int]) -> Sequence[Tensor]:
        by_head = rows[: sum(counts)].unflatten(1, (self.heads, -1)).transpose(0, 1)
        parts: Sequence[Tensor] = by_head.split(list(counts), dim=1)  # one call for all texts, of which there are many
        return parts


def attention_by_text(
    projections: Sequence[Tensor], sizes: TextSizes, bias: Sequence[Tensor] | None, share: float
) -> Tensor:
    """What attention gives at the queries, (rows, d); rows beyond those of texts are zero.

    Args:
        projections: queries, keys and values of all positions side by side, (rows, 3 d), or the queries, (rows, d), and
            keys and values, (rows, 2 d).
        sizes: of the texts.
        bias: added to each text's scores, (heads or 1, queries or 1, positions); None: nothing.
        share: of the weights that are dropped.
    """
    outputs: Tensor = _AttentionByText.apply(sizes, bias, share, *projections)  # type: ignore[no-untyped-call]
    return outputs


class _AttentionByText(torch.autograd.Function):
    """It keeps projections, weights and, of dropout, 16 bits a weight, but not what was left of the weights.

    Weights of all texts lie in one row, so that one operation drops some of them. They are in the inputs' precision, as
    products are; torch takes the softmax in float32. What remains is scaled in the outputs, of which there are fewer.
    """

    @staticmethod
    def forward(
        ctx: Any, sizes: TextSizes, bias: Sequence[Tensor] | None, share: float, *projections: Tensor
    ) -> Tensor:
        queries, keys, values = sizes.split(projections)
        ctx.sizes, ctx.share, ctx.scale = sizes, share, queries[0].shape[-1] ** -0.5
        weights = projections[0].new_empty(sizes.weights)
        for number, (part, query, key) in enumerate(zip(sizes.split_weights(weights), queries, keys, strict=True)):
            added = part if bias is None else bias[number]
            torch.baddbmm(added, query, key.transpose(1, 2), beta=int(bias is not None), alpha=ctx.scale, out=part)
            torch.softmax(part, -1, out=part)
        mask = random_mask(weights.shape, share) if share else None
        ctx.save_for_backward(weights, mask, *projections)
        outputs = projections[0].new_empty(len(projections[0]), _width(projections))
        outputs[sum(sizes.queries) :].zero_()
        remaining = sizes.split_weights(weights if mask is None else masked(weights, mask))
        for part, value, output in zip(remaining, values, sizes.split_outputs(outputs), strict=True):
            torch.mul(part.bmm(value), scale_of(share), out=output)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, mask, *projections = ctx.saved_tensors
        sizes: TextSizes = ctx.sizes
        by_output = sizes.split_outputs(gradient * scale_of(ctx.share))
        by_projection = [torch.empty_like(matrix) for matrix in projections]
        by_projection[0][sum(sizes.queries) :].zero_()
        by_projection[-1][sum(sizes.positions) :].zero_()
        by_query, by_key, by_value = sizes.split(by_projection)
        queries, keys, values = sizes.split(projections)

        remaining = sizes.split_weights(weights if mask is None else masked(weights, mask))
        by_weight = torch.empty_like(weights)
        parts = zip(remaining, by_output, values, sizes.split_weights(by_weight), by_value, strict=True)
        for left, output, value, by_part, by_this_value in parts:
            by_this_value.copy_(left.transpose(1, 2).bmm(output))
            torch.bmm(output, value.transpose(1, 2), out=by_part)
        if mask is not None:
            masked(by_weight, mask, out=by_weight)

        for number, (part, by_part) in enumerate(
            zip(sizes.split_weights(weights), sizes.split_weights(by_weight), strict=True)
        ):
            by_score = torch.ops.aten._softmax_backward_data(by_part, part, -1, part.dtype)
            torch.mul(by_score.bmm(keys[number]), ctx.scale, out=by_query[number])
            torch.mul(by_score.transpose(1, 2).bmm(queries[number]), ctx.scale, out=by_key[number])
        return (None, None, None, *by_projection)


def _width(projections: Sequence[Tensor]) -> int:
    """d, of queries, keys and values in one matrix or in two."""
    return sum(matrix.shape[1] for matrix in projections) // 3
