"""The pass of a frozen encoder over soft prompts and the texts behind them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.lean.dropout import dropout
from xlt_bench.backbones.lean.layer import Layer
from xlt_bench.backbones.lean.layers import LeanLayers
from xlt_bench.backbones.lean.norm import layer_norm
from xlt_bench.backbones.lean.packed import PackedTexts
from xlt_bench.backbones.lean.padded import PaddedTexts
from xlt_bench.backbones.lean.parts import EncoderParts, parts_of
from xlt_bench.backbones.lean.products import linear
from xlt_bench.backbones.lean.rows import RowLayout
from xlt_bench.backbones.lean.texts import Texts, Words
from xlt_bench.recipe import ReadOut


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

    @property
    def packs(self) -> bool:
        """Whether texts go through without padding: while attention weights are dropped, on a CPU in float32."""
        weight = self._parts.positions
        suited = weight.device.type == "cpu" and weight.dtype == torch.float32
        return suited and self.training and any(layer.attention_dropout for layer in self._parts.layers)

    @torch.no_grad()
    def words(self, batch: Batch, prompt: int) -> Words:
        """The texts of a batch behind prompts of this many vectors."""
        parts = self._parts
        device, (items, tokens) = parts.positions.device, batch.ids.shape
        heads, bias = parts.layers[0].heads, parts.distances and parts.distances(prompt + tokens)
        if self.packs:
            present = batch.mask.bool()
            ids, at = batch.ids[present], present.nonzero()[:, 1]
            segments = None if batch.segments is None else batch.segments[present]
            texts: Texts = PackedTexts.of(batch.mask, prompt, heads, None if bias is None else bias[0])
        else:
            ids, at, segments = batch.ids, torch.arange(tokens), batch.segments
            layout = RowLayout.of(items, prompt + tokens, device)
            texts = PaddedTexts(batch.mask.to(device), layout, heads, self._with_padding(bias, batch.mask, prompt))
        embedded = parts.words(ids.to(device)) + parts.positions[prompt + at.to(device)]
        if segments is not None and parts.segments is not None:
            embedded = embedded + parts.segments[segments.to(device)]
        states = self._projected(dropout(layer_norm(parts.norm, embedded), self._dropped))
        return Words(states, self._layers.first.project(states), texts, batch.blanks)

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
        rows, projected = self._of_prompts(prompts, sizes, words.states.dtype)
        outputs: Tensor = self._layers(rows, projected, words, read_out, self.training)
        return outputs

    def _of_prompts(self, prompts: Sequence[Tensor], sizes: Sequence[int], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Prompts in the first layer, (items, n, d), and their queries, keys and values, (items, n, 3 d)."""
        stacked = torch.stack(list(prompts)).to(dtype) + self._parts.positions[: prompts[0].shape[0]]
        rows = layer_norm(self._parts.norm, stacked)
        if self._dropped:  # every text has a mask of its own, so no rows are alike
            rows = self._projected(dropout(_spread(rows, sizes), self._dropped))
            return rows, self._layers.first.project(rows)
        rows = self._projected(rows)
        return _spread(rows, sizes), _spread(self._layers.first.project(rows), sizes)

    def _projected(self, states: Tensor) -> Tensor:
        projection = self._parts.projection
        return states if projection is None else linear(states, projection.weight, projection.bias)

    def _with_padding(self, bias: Tensor | None, mask: Tensor, prompt: int) -> Tensor | None:
        """A bias on attention scores, and minus infinity at padding."""
        if bool(mask.all()):  # the mask lies on the CPU: no waiting for the device
            return bias
        weight = self._parts.positions
        padding = functional.pad(mask == 0, (prompt, 0))[:, None, None].to(weight.device)
        at_padding = torch.zeros(padding.shape, dtype=weight.dtype, device=weight.device)
        at_padding.masked_fill_(padding, -torch.inf)
        return at_padding if bias is None else at_padding + bias


def lean_encoder(model: PreTrainedModel) -> LeanEncoder | None:
    """The lean computation of this model; None where it is of no type that `parts.py` knows."""
    parts = parts_of(model)
    return None if parts is None else LeanEncoder(model, parts)


def _spread(rows: Tensor, sizes: Sequence[int]) -> Tensor:
    """Each lane's rows, (lanes, n, width), repeated for its items: (items, n, width)."""
    return torch.cat([row.expand(size, -1, -1) for row, size in zip(rows, sizes, strict=True)])
