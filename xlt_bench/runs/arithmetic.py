"""How much arithmetic a piece of work does, counted by torch while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, TypeVar

Shape = tuple[int, ...]
Result = TypeVar("Result")


def floating_point_operations(work: Callable[[], Result]) -> tuple[Result, int]:
    """What `work` returns, and the floating-point operations of its matrix products and attention.

    Forward and backward passes count. Gradients of frozen weights are never computed, so they are not counted either.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False, custom_mapping=dict(_formulas())) as counter:
        result = work()
    return result, int(counter.get_total_flops())


def _formulas() -> Mapping[Any, Callable[..., int]]:
    """Of operators on a CPU for which torch has no formula."""
    import torch
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    def linear(inputs: Shape, weight: Shape, *arguments: object, out_shape: Shape, **options: object) -> int:
        return 2 * prod(inputs) * out_shape[-1]

    def attention(query: Shape, key: Shape, value: Shape, *arguments: object, **options: object) -> int:
        count: int = sdpa_flop_count(query, key, value)
        return count

    def attention_backward(
        gradient: Shape, query: Shape, key: Shape, value: Shape, *arguments: object, **options: object
    ) -> int:
        count: int = sdpa_backward_flop_count(gradient, query, key, value)
        return count

    aten = torch.ops.aten
    formulas: dict[Any, Callable[..., int]] = {
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: attention_backward,
    }
    if torch.backends.mkldnn.is_available():
        formulas[torch.ops.mkldnn._linear_pointwise] = linear
    return formulas
