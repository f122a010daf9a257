"""Norms over weights that are never trained, and what is added and dropped before them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlt_bench.backbones.lean.dropout import masked, random_mask, scale_of
from xlt_bench.backbones.lean.products import linear


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
    mask = random_mask(outputs[:positions].shape, dropped)
    outputs = _DropAndAdd.apply(outputs, states, mask, dropped)  # type: ignore[no-untyped-call]
    return layer_norm(norm, outputs)


class _DropAndAdd(torch.autograd.Function):
    """states + dropout(inputs), written over the inputs, which nothing else needs; masked are the first rows only."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, states: Tensor, mask: Tensor, share: float) -> Tensor:
        ctx.mark_dirty(inputs)
        ctx.save_for_backward(mask)
        ctx.share = share
        positions = inputs[: len(mask)]
        masked(positions, mask, out=positions)
        return torch.add(states, inputs, alpha=scale_of(share), out=inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        by_input = torch.empty_like(gradient)
        masked(gradient[: len(mask)], mask, out=by_input[: len(mask)])
        by_input[len(mask) :].zero_()
        return by_input.mul_(scale_of(ctx.share)), gradient, None, None
