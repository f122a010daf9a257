"""All layers, one after the other, the last one for those positions only that a head reads."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.texts import Texts
from xlt_bench.recipe import ReadOut


class LeanLayers(nn.Module):
    """All layers: a module, so that torch's hooks for every module see a pass through them, as with any other model."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = layers

    @property
    def first(self) -> Layer:
        """The layer that words enter."""
        return self._layers[0]

    def forward(
        self, states: Tensor, projected: Tensor, texts: Texts, read_out: ReadOut, blanks: Tensor | None, fitting: bool
    ) -> Tensor:
        """What a head reads, (items, d) in float32.

        Args:
            states: input of the first layer, (rows, d).
            projected: its queries, keys and values, (rows, 3 d).
            texts: how they lie there.
            read_out, blanks: see `Texts.reading`.
            fitting: whether states and attention weights are dropped.
        """
        *lower, last = self._layers
        for number, layer in enumerate(lower):
            states = layer(states, texts, [projected if number == 0 else layer.project(states)], fitting)
        reading = texts.reading(read_out, blanks)
        read = reading.take(states)
        return reading.read(last(read, reading, last.queries_of(read, states), fitting))
