"""Arithmetic over weights that are never trained: products, attention, dropout, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.lean.rows import rounded_up


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` for weights that are never trained; on a CPU with rows as `RowLayout` has them."""
    if not inputs.is_cpu or not inputs.numel():
        return functional.linear(inputs, weight, bias)
    flat = inputs.flatten(0, -2)
    extra = rounded_up(len(flat), inputs.device) - len(flat)
    if inputs.ndim == 2 and not extra:
        return _product(inputs, weight, bias)
    outputs = _product(functional.pad(flat, (0, 0, 0, extra)) if extra else flat, weight, bias)
    return outputs[: len(flat)].view(*inputs.shape[:-1], -1)


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Of a matrix."""
    if _ONEDNN is None or inputs.dtype != torch.float32:
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _FrozenLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return outputs


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float) -> Tensor:
    """`scaled_dot_product_attention` of (items, heads, positions, width), whose weights are dropped with this share.

    On a CPU torch has no kernel for dropped weights, and what it does instead draws slow masks; without dropout its own
    runs in float32, since it is slower in bfloat16.
    """
    if not query.is_cpu:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropped)
    if dropped:
        outputs: Tensor = _DroppedAttention.apply(query, key, value, bias, dropped)  # type: ignore[no-untyped-call]
        return outputs
    whole = functional.scaled_dot_product_attention(
        query.float(), key.float(), value.float(), attn_mask=None if bias is None else bias.float()
    )
    return whole.to(query.dtype)


class _DroppedAttention(torch.autograd.Function):
    """Attention with dropout, which keeps its weights and a byte a weight, but not what was left of them.

    Products are in the inputs' precision, as in the layers around them; softmax and dropout are in float32. In float32
    the products are those of torch's own `@` and its gradient, so that sums have the same order.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, share: float) -> Tensor:
        shape = (*query.shape[:2], query.shape[2], key.shape[2])
        scores = _matrices(query * query.shape[-1] ** -0.5).bmm(_matrices(key.transpose(-1, -2))).view(shape).float()
        weights = (scores if bias is None else scores.add_(bias)).softmax(-1)
        mask = _mask(weights.shape, share)
        ctx.save_for_backward(query, key, value, weights, mask)
        ctx.share = share
        return _matrices(_dropped(weights, mask, share).to(value.dtype)).bmm(_matrices(value)).view(query.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, weights, mask = ctx.saved_tensors
        scale, dtype, by_output = query.shape[-1] ** -0.5, query.dtype, _matrices(gradient)
        factors = mask.to(weights.dtype).mul_(1.0 / (1.0 - ctx.share))  # in float32: bfloat16 would round them
        remaining_weights = _matrices((factors * weights).to(dtype))
        by_value = remaining_weights.transpose(1, 2).bmm(by_output)
        by_weight = by_output.bmm(_matrices(value).transpose(1, 2)).view(weights.shape)
        by_weight = factors.mul_(by_weight)
        by_score = torch.ops.aten._softmax_backward_data(by_weight, weights, -1, weights.dtype)
        by_score = _matrices(by_score.to(dtype))
        by_query = by_score.bmm(_matrices(key.transpose(-1, -2)).transpose(1, 2)).mul_(scale)
        by_key = _matrices(query * scale).transpose(1, 2).bmm(by_score).transpose(1, 2)
        return by_query.view(query.shape), by_key.reshape(key.shape), by_value.view(value.shape), None, None


def _matrices(batch: Tensor) -> Tensor:
    """(items, heads, rows, columns) as (items * heads, rows, columns)."""
    return batch.reshape(-1, *batch.shape[-2:])


def dropout(inputs: Tensor, share: float) -> Tensor:
    """`torch.nn.functional.dropout` in train mode: on a CPU, with masks drawn twice as fast, of a byte a number.

    An input is dropped where 16 random bits, read as a number, are below share * 2^16, which is rounded: a share of 0.1
    becomes 0.100006.
    """
    if not share:
        return inputs
    if not inputs.is_cpu:
        return functional.dropout(inputs, share)
    outputs: Tensor = _Dropout.apply(inputs, _mask(inputs.shape, share), share)  # type: ignore[no-untyped-call]
    return outputs


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mask: Tensor, share: float) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.share = share
        return _dropped(inputs, mask, share)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        return _dropped(gradient, mask, ctx.share), None, None


def _mask(shape: torch.Size, share: float) -> Tensor:
    """True where an input stays."""
    words = torch.empty((shape.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    return words.view(torch.int16)[: shape.numel()].view(shape) >= round(share * 2**16) - 2**15


def _dropped(inputs: Tensor, mask: Tensor, share: float) -> Tensor:
    """What dropout with this mask leaves of inputs. The mask as numbers first: torch multiplies by booleans slowly."""
    return mask.to(inputs.dtype).mul_(inputs).mul_(1.0 / (1.0 - share))


def _find_onednn() -> Callable[..., Tensor] | None:
    """The operator that torch's own compiler uses for linear layers on a CPU, where this build of torch has it."""
    operator = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
    return None if operator is None else operator.default


_ONEDNN = _find_onednn()


class _FrozenLinear(torch.autograd.Function):
    """inputs @ weight.T + bias through oneDNN, with a gradient for the inputs only."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return _onednn_product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _onednn_product(gradient, weight.t(), None), None, None


def _onednn_product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    assert _ONEDNN is not None
    return _ONEDNN(inputs, weight, bias, "none", [], None)


def layer_norm(norm: nn.LayerNorm, states: Tensor) -> Tensor:
    return functional.layer_norm(states, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def add_and_norm(
    inputs: Tensor, states: Tensor, dense: nn.Linear, norm: nn.LayerNorm, positions: int, dropped: float
) -> Tensor:
    """norm(states + dropout(dense(inputs))) of a matrix, whose first rows, so many, are positions."""
    outputs = linear(inputs, dense.weight, dense.bias)
    if not dropped:
        return layer_norm(norm, outputs.add_(states))
    if not outputs.is_cpu:
        return layer_norm(norm, functional.dropout(outputs, dropped) + states)
    mask = _mask(outputs[:positions].shape, dropped)
    outputs = _DropAndAdd.apply(outputs, states, mask, dropped)  # type: ignore[no-untyped-call]
    return layer_norm(norm, outputs)


class _DropAndAdd(torch.autograd.Function):
    """states + dropout(inputs), written over the inputs, which nothing else needs; masked are the first rows only."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, states: Tensor, mask: Tensor, share: float) -> Tensor:
        ctx.mark_dirty(inputs)
        ctx.save_for_backward(mask)
        ctx.share = share
        inputs[: len(mask)].mul_(mask.to(inputs.dtype)).mul_(1.0 / (1.0 - share))
        return inputs.add_(states)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        by_input = torch.zeros_like(gradient)
        by_input[: len(mask)] = _dropped(gradient[: len(mask)], mask, ctx.share)
        return by_input, gradient, None, None
