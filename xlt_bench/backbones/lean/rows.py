"""Positions of a block of texts as the rows of a matrix, whose number is rounded up on a CPU.

oneDNN makes kernels anew for each number of rows of a product, which takes time, and keeps them, which takes memory:
over a run, whose blocks have hundreds of sizes, a gigabyte and more. Rounded up there are a few tens of sizes. A row
beyond the positions is computed along with the others, and nothing reads it; what the others hold does not change by a
bit (tests/backbones/test_lean_rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MULTIPLE = 64


def rounded_up(count: int, device: torch.device) -> int:
    """Rows for so many positions; a few are left as they are, since for them other kernels are right."""
    return count if count <= MULTIPLE or device.type != "cpu" else -(-count // MULTIPLE) * MULTIPLE


@dataclass(frozen=True)
class RowLayout:
    """How the positions of some items lie in a matrix: item by item, and what is rounded up at the end.

    Attributes:
        items, positions: how many items, and positions of each.
        rows: of the matrix.
    """

    items: int
    positions: int
    rows: int

    @staticmethod
    def of(items: int, positions: int, device: torch.device) -> RowLayout:
        """With as many rows as are right on this device."""
        return RowLayout(items, positions, rounded_up(items * positions, device))

    @property
    def count(self) -> int:
        """Rows that are positions."""
        return self.items * self.positions

    def flat(self, states: Tensor) -> Tensor:
        """From (items, positions, ...) to (rows, width), zero beyond the positions; a copy."""
        outputs: Tensor = _Flat.apply(states, self)  # type: ignore[no-untyped-call]
        return outputs

    def unflat(self, rows: Tensor) -> Tensor:
        """From (rows, width) to a view (items, positions, width)."""
        return rows[: self.count].view(self.items, self.positions, -1)

    def by_head(self, rows: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
        """From (rows, parts * d) to views of each part, (items, heads, positions, d / heads)."""
        outputs: tuple[Tensor, ...] = _ByHead.apply(rows, self, parts, heads)  # type: ignore[no-untyped-call]
        return outputs


class _Flat(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, layout: RowLayout) -> Tensor:
        ctx.layout, ctx.shape = layout, states.shape
        count = layout.count
        rows = states.new_empty(layout.rows, states.shape[2:].numel())
        rows[:count].view(states.shape).copy_(states)
        rows[count:].zero_()
        return rows

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient[: ctx.layout.count].reshape(ctx.shape), None


class _ByHead(torch.autograd.Function):
    """Views; the gradient is written into one matrix, where autograd would stack it and copy that again."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, layout: RowLayout, parts: int, heads: int) -> tuple[Tensor, ...]:
        ctx.layout, ctx.rows = layout, len(rows)  # a matrix need not be rounded up
        return _by_head(rows, layout, parts, heads)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        first, layout = gradients[0], ctx.layout
        heads, width = first.shape[1], first.shape[1] * first.shape[3]
        matrix = first.new_empty(ctx.rows, len(gradients) * width)
        matrix[layout.count :].zero_()
        for view, gradient in zip(_by_head(matrix, layout, len(gradients), heads), gradients, strict=True):
            view.copy_(gradient)
        return matrix, None, None, None


def _by_head(rows: Tensor, layout: RowLayout, parts: int, heads: int) -> tuple[Tensor, ...]:
    unflattened = layout.unflat(rows).unflatten(-1, (parts, heads, -1))
    return tuple(part.transpose(1, 2) for part in unflattened.unbind(2))
