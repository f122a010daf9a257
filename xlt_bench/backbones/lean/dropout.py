"""Dropout on a CPU, with masks drawn and applied in a fraction of the time that torch takes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def dropout(inputs: Tensor, share: float) -> Tensor:
    """`torch.nn.functional.dropout` in train mode: on a CPU, with masks drawn and applied in a fraction of the time.

    An input is dropped where 16 random bits, read as a number, are below share * 2^16, which is rounded: a share of 0.1
    becomes 0.100006.
    """
    if not share:
        return inputs
    if not inputs.is_cpu:
        return functional.dropout(inputs, share)
    outputs: Tensor = _Dropout.apply(inputs, random_mask(inputs.shape, share), share)  # type: ignore[no-untyped-call]
    return outputs


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mask: Tensor, share: float) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.share = share
        return masked(inputs, mask).mul_(scale_of(share))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        return masked(gradient, mask).mul_(scale_of(ctx.share)), None, None


def random_mask(shape: torch.Size, share: float) -> Tensor:
    """Sixteen ones where an input stays, int16: torch makes numbers of booleans more slowly than anything else here."""
    words = torch.empty((shape.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    return words.view(torch.int16)[: shape.numel()].view(shape).ge_(round(share * 2**16) - 2**15).neg_()


_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Integers by bytes; a mask's ones become as many as a number has bits."""


def masked(inputs: Tensor, mask: Tensor, out: Tensor | None = None) -> Tensor:
    """The inputs that stay, bit for bit, and zeros; a tensor of its own, or written into `out`."""
    bits = _BITS[inputs.element_size()]
    outputs = torch.empty_like(inputs) if out is None else out
    torch.bitwise_and(inputs.view(bits), mask, out=outputs.view(bits))
    return outputs


def scale_of(share: float) -> float:
    """What remains is multiplied by it."""
    return 1.0 / (1.0 - share)
