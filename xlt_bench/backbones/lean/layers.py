"""All layers, one after the other, the last one for those positions only that a head reads."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.texts import Words
from xlt_bench.recipe import ReadOut


class LeanLayers(nn.Module):
    """All layers: a module, so that torch's hooks for every module see a pass and its items, as with any model."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._layers = layers

    @property
    def first(self) -> Layer:
        """The layer that words enter."""
        return self._layers[0]

    def forward(self, prompts: Tensor, projected: Tensor, words: Words, read_out: ReadOut, fitting: bool) -> Tensor:
        """What a head reads, (items, d) in float32.

        Args:
            prompts: input of the first layer, (items, n, d).
            projected: its queries, keys and values, (items, n, 3 d).
            words: the texts behind them.
            read_out: which states are read.
            fitting: whether states and attention weights are dropped.
        """
        *lower, last = self._layers
        states = words.texts.enter(prompts, words.states)
        for number, layer in enumerate(lower):
            projections = layer.project(states) if number else words.texts.enter(projected, words.projected)
            states = layer(states, words.texts, [projections], fitting)
        reading = words.texts.reading(read_out, words.blanks)
        read = reading.take(states)
        return reading.read(last(read, reading, last.queries_of(read, states), fitting))
