"""How much arithmetic a piece of work does, counted by torch while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Shape = tuple[int, ...]


def floating_point_operations(work: Callable[[], object]) -> int:
    """Floating-point operations of matrix products and attention, forward and backward.

    Gradients of frozen weights are never computed, so they are not counted either.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False, custom_mapping=dict(_formulas())) as counter:
        work()
    return int(counter.get_total_flops())


def _formulas() -> Mapping[Any, Callable[..., int]]:
    """Of operators on a CPU for which torch has no formula."""
    import torch
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    def linear(inputs: Shape, weight: Shape, *rest: object, out_shape: Shape, **options: object) -> int:
        return 2 * prod(inputs) * out_shape[-1]

    def attention(query: Shape, key: Shape, value: Shape, *rest: object, **options: object) -> int:
        count: int = sdpa_flop_count(query, key, value)
        return count

    def attention_backward(
        gradient: Shape, query: Shape, key: Shape, value: Shape, *rest: object, **options: object
    ) -> int:
        count: int = sdpa_backward_flop_count(gradient, query, key, value)
        return count

    aten = torch.ops.aten
    found: dict[Any, Callable[..., int]] = {
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: attention_backward,
    }
    if torch.backends.mkldnn.is_available():
        found[torch.ops.mkldnn._linear_pointwise] = linear
    return found
