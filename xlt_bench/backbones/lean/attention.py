"""Attention, whose weights may be dropped."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from xlt_bench.backbones.lean.dropout import masked, random_mask, scale_of


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float) -> Tensor:
    """`scaled_dot_product_attention` of (items, heads, positions, width), whose weights are dropped with this share.

    On a CPU torch has no kernel for dropped weights, and what it does instead draws slow masks; its kernel without
    dropout is slow in bfloat16.
    """
    if query.is_cpu and (dropped or query.dtype == torch.bfloat16):
        outputs: Tensor = _Attention.apply(query, key, value, bias, dropped)  # type: ignore[no-untyped-call]
        return outputs
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropped)


class _Attention(torch.autograd.Function):
    """Attention that keeps its weights and, of dropout, a mask of 16 bits a weight, but not what was left of them.

    Products and the weights that are kept are in the inputs' precision, as in the layers around them; the softmax is
    taken in float32. What remains of the weights is scaled in the values, of which there are fewer.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, share: float) -> Tensor:
        queries, keys = _matrices(query, query.shape[-1] ** -0.5), _matrices(key)
        values = _matrices(value, scale_of(share))
        scores = queries.bmm(keys.transpose(1, 2)).unflatten(0, query.shape[:2]).float()
        weights = (scores if bias is None else scores.add_(bias)).softmax(-1).to(value.dtype).flatten(0, 1)
        mask = random_mask(weights.shape, share) if share else None
        ctx.save_for_backward(queries, keys, values, weights, mask)
        ctx.share, ctx.shape = share, query.shape
        return (weights if mask is None else masked(weights, mask)).bmm(values).view(query.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        queries, keys, values, weights, mask = ctx.saved_tensors
        by_output = _matrices(gradient)
        remaining = weights if mask is None else masked(weights, mask)
        by_value = remaining.transpose(1, 2).bmm(by_output).mul_(scale_of(ctx.share))
        by_weight = by_output.bmm(values.transpose(1, 2))
        by_weight = by_weight if mask is None else masked(by_weight, mask, out=by_weight)
        by_score = torch.ops.aten._softmax_backward_data(by_weight, weights, -1, weights.dtype)
        by_query = by_score.bmm(keys).mul_(ctx.shape[-1] ** -0.5)
        by_key = by_score.transpose(1, 2).bmm(queries)
        items_and_heads = ctx.shape[:2]
        by_input = (part.unflatten(0, items_and_heads) for part in (by_query, by_key, by_value))
        return (*by_input, None, None)


def _matrices(batch: Tensor, scale: float = 1.0) -> Tensor:
    """(items, heads, rows, columns) times a number, as (items * heads, rows, columns) without gaps."""
    matrices = batch.new_empty(batch.shape)
    torch.mul(batch, scale, out=matrices)
    return matrices.flatten(0, 1)
