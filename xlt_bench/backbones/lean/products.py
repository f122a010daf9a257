"""Products with weights that are never trained."""

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


def activated(inputs: Tensor, dense: nn.Linear, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """The activation of a product, (rows, width): one operation where oneDNN has it and nothing keeps the product."""
    plain_gelu = getattr(activation, "act", activation) is functional.gelu
    if _ONEDNN is None or not plain_gelu or inputs.requires_grad or not inputs.is_cpu or inputs.dtype != torch.float32:
        return activation(linear(inputs, dense.weight, dense.bias))
    return _onednn_product(inputs, dense.weight, dense.bias, "gelu")


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Of a matrix."""
    if _ONEDNN is None or inputs.dtype != torch.float32:
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _FrozenLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return outputs


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


def _onednn_product(inputs: Tensor, weight: Tensor, bias: Tensor | None, then: str = "none") -> Tensor:
    """With an activation after it: "none", or "gelu" without an approximation."""
    assert _ONEDNN is not None
    return _ONEDNN(inputs, weight, bias, then, [], "none")
