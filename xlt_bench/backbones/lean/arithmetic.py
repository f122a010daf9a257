"""Arithmetic over weights that are never trained: products, attention, dropout, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` for weights that are never trained."""
    if _ONEDNN is None or not inputs.is_cpu or inputs.dtype != torch.float32 or not inputs.numel():
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _FrozenLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return outputs


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float) -> Tensor:
    """`scaled_dot_product_attention` of (items, heads, positions, width), whose weights are dropped with this share.

    On a CPU it runs in float32: torch's own kernel is slower in bfloat16, four times so backward. With dropout torch
    has no kernel there, and what it does instead draws slow masks.
    """
    if not query.is_cpu:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropped)
    dtype = query.dtype
    query, key, value = query.float(), key.float(), value.float()
    bias = None if bias is None else bias.float()
    if not dropped:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).to(dtype)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    weights = (scores if bias is None else scores + bias).softmax(-1)
    return (dropout(weights, dropped) @ value).to(dtype)


def dropout(inputs: Tensor, share: float) -> Tensor:
    """`torch.nn.functional.dropout` in train mode: on a CPU, with masks drawn twice as fast.

    An input is dropped where 32 random bits, read as a number, are below share * 2^32; torch's own draw has 24 bits.
    """
    if not share:
        return inputs
    if not inputs.is_cpu:
        return functional.dropout(inputs, share)
    words = torch.empty((inputs.numel() + 1) // 2, dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int32)[: inputs.numel()].view(inputs.shape)
    mask = (bits >= round(share * 2**32) - 2**31).to(inputs.dtype)
    return (inputs * mask).mul_(1.0 / (1.0 - share))


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
        return _product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _product(gradient, weight.t(), None), None, None


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    assert _ONEDNN is not None
    return _ONEDNN(inputs, weight, bias, "none", [], None)


def layer_norm(norm: nn.LayerNorm, states: Tensor) -> Tensor:
    return functional.layer_norm(states, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def add_and_norm(inputs: Tensor, states: Tensor, dense: nn.Linear, norm: nn.LayerNorm, dropped: float) -> Tensor:
    """norm(states + dropout(dense(inputs)))."""
    return layer_norm(norm, dropout(linear(inputs, dense.weight, dense.bias), dropped) + states)
