"""The pass of a frozen encoder over soft prompts and the texts behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.layers import LeanLayers, ReadRows
from xlt_bench.backbones.lean.norm import layer_norm
from xlt_bench.backbones.lean.parts import EncoderParts, parts_of
from xlt_bench.backbones.lean.products import linear
from xlt_bench.recipe import ReadOut


@dataclass(frozen=True)
class Words:
    """What the texts of a batch bring to the first layer, whatever prompt stands before them.

    Attributes:
        states: word states after the embeddings, (items, tokens, d).
        projected: their queries, keys and values in the first layer, (items, tokens, 3 d).
        mask: (items, tokens), 1 where there is a token.
        bias: added to attention scores, (items or 1, heads or 1, positions or 1, positions): minus infinity at padding,
            and the model's own bias by distance; None where there is neither.
        blanks: position of each text's token whose state is read, (items,); None: as the read-out says.
    """

    states: Tensor
    projected: Tensor
    mask: Tensor
    bias: Tensor | None
    blanks: Tensor | None


class LeanEncoder:
    """What a head reads of a frozen BERT-like encoder whose inputs are soft prompts followed by texts.

    It follows the model's train or eval mode and shares its weights.
    """

    def __init__(self, model: PreTrainedModel, parts: EncoderParts) -> None:
        self._model = model
        self._parts = parts
        self._layers = LeanLayers([Layer(layer) for layer in parts.layers])

    @property
    def training(self) -> bool:
        """Whether the model is in train mode, its dropout active."""
        return bool(self._model.training)

    @property
    def _dropped(self) -> float:
        return self._parts.dropout if self._model.training else 0.0

    @torch.no_grad()
    def words(self, batch: Batch, prompt: int) -> Words:
        """The texts of a batch behind prompts of this many vectors."""
        parts = self._parts
        device = parts.positions.device
        embedded = parts.words(batch.ids.to(device)) + parts.positions[prompt : prompt + batch.ids.shape[1]]
        if batch.segments is not None and parts.segments is not None:
            embedded = embedded + parts.segments[batch.segments.to(device)]
        states = self._projected(dropout(layer_norm(parts.norm, embedded), self._dropped))
        bias = self._bias(batch.mask, prompt, states)
        return Words(states, self._layers.first.project(states), batch.mask, bias, batch.blanks)

    def __call__(
        self, prompts: Sequence[Tensor], sizes: Sequence[int], words: Words, read_out: ReadOut = "first"
    ) -> Tensor:
        """What the head reads.

        Args:
            prompts: one a lane, each (n, embedding width).
            sizes: how many of the items stand behind each prompt, in order.
            words: all items.
            read_out: which states (see `xlt_bench.backbones.read_out`).

        Returns:
            shape (items, d), float32.
        """
        states, projected = self._enter(prompts, sizes, words)
        rows = ReadRows(words.mask.to(states.device), states.shape[1], read_out, words.blanks)
        outputs: Tensor = self._layers(states, projected, words.bias, rows, self._dropped)
        return outputs

    def _enter(self, prompts: Sequence[Tensor], sizes: Sequence[int], words: Words) -> tuple[Tensor, Tensor]:
        """Input of the first layer, (items, positions, d), and its projection, (items, positions, 3 d)."""
        stacked = torch.stack(list(prompts)).to(words.states.dtype) + self._parts.positions[: prompts[0].shape[0]]
        rows = layer_norm(self._parts.norm, stacked)
        if self._dropped:  # every text has a mask of its own, so no rows are alike
            rows = self._projected(dropout(_spread(rows, sizes), self._dropped))
            projected = self._layers.first.project(rows)
        else:
            rows = self._projected(rows)
            projected = _spread(self._layers.first.project(rows), sizes)
            rows = _spread(rows, sizes)
        return torch.cat([rows, words.states], 1), torch.cat([projected, words.projected], 1)

    def _projected(self, states: Tensor) -> Tensor:
        projection = self._parts.projection
        return states if projection is None else linear(states, projection.weight, projection.bias)

    def _bias(self, mask: Tensor, prompt: int, states: Tensor) -> Tensor | None:
        by_distance = self._parts.distances and self._parts.distances(prompt + mask.shape[1])
        if bool(mask.all()):  # the mask lies on the CPU: no waiting for the device
            return by_distance
        padding = functional.pad(mask == 0, (prompt, 0))[:, None, None].to(states.device)
        bias = torch.zeros(padding.shape, dtype=states.dtype, device=states.device).masked_fill_(padding, -torch.inf)
        return bias if by_distance is None else bias + by_distance


def lean_encoder(model: PreTrainedModel) -> LeanEncoder | None:
    """The lean computation of this model; None where it is of no type that `parts.py` knows."""
    parts = parts_of(model)
    return None if parts is None else LeanEncoder(model, parts)


def _spread(rows: Tensor, sizes: Sequence[int]) -> Tensor:
    """Each lane's rows, (lanes, n, width), repeated for its items: (items, n, width)."""
    return torch.cat([row.expand(size, -1, -1) for row, size in zip(rows, sizes, strict=True)])
