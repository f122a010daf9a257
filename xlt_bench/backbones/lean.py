"""XLM-R behind soft prompts, with frozen weights, computed without arithmetic whose result nobody reads.

- The head reads position 0 only: the last layer has one query, one attention output and one feed-forward row a text.
- Words are constants: they enter the first layer without a gradient, and an evaluation computes them once for all
  prompts. Where nothing is dropped, a prompt's own rows enter it once, not once a text.
- A frozen linear layer keeps no input for the backward pass. On a CPU it is a oneDNN call in float32 too: on
  processors that the BLAS behind torch's own product treats as foreign, it is more than twice as fast.

The outputs are those of transformers' own model (tests/backbones/test_lean.py), the dropout has the same distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaLayer, XLMRobertaModel

from xlt_bench.backbones.batches import Batch


@dataclass(frozen=True)
class Words:
    """What the texts of a batch bring to the first layer, whatever prompt stands before them.

    Attributes:
        states: word states after the embeddings' norm, (items, tokens, d).
        projected: their queries, keys and values in the first layer, (items, tokens, 3 d).
        bias: added to attention scores, (items, 1, 1, positions), minus infinity at padding; None without padding.
    """

    states: Tensor
    projected: Tensor
    bias: Tensor | None


class LeanEncoder:
    """The states at position 0 of a frozen XLM-R whose inputs are soft prompts followed by texts.

    It follows the model's train or eval mode and shares its weights; queries, keys and values lie in one matrix.
    """

    def __init__(self, model: XLMRobertaModel) -> None:
        self._model = model
        embeddings = model.embeddings
        first = embeddings.padding_idx + 1  # position ids count from there, as fairseq had it
        kinds = embeddings.token_type_embeddings.weight
        self._positions = embeddings.position_embeddings.weight[first:] + kinds[0]
        self._segments = kinds - kinds[0]
        self._layers = LeanLayers([_Layer(layer) for layer in model.encoder.layer])

    @property
    def training(self) -> bool:
        """Whether the model is in train mode, its dropout active."""
        return bool(self._model.training)

    @property
    def _dropped(self) -> float:
        return float(self._model.config.hidden_dropout_prob) if self._model.training else 0.0

    @torch.no_grad()
    def words(self, batch: Batch, prompt: int) -> Words:
        """The texts of a batch behind prompts of this many vectors."""
        embeddings, mask = self._model.embeddings, batch.mask
        positions = self._positions[prompt : prompt + batch.ids.shape[1]]
        device = self._positions.device
        embedded = embeddings.word_embeddings(batch.ids.to(device)) + positions
        if batch.segments is not None:
            embedded = embedded + self._segments[batch.segments.to(device)]
        states = dropout(_norm(embeddings.LayerNorm, embedded), self._dropped)
        bias = None
        if not bool(mask.all()):  # the mask lies on the CPU: no waiting for the device
            padding = functional.pad(mask == 0, (prompt, 0))[:, None, None].to(device)
            bias = torch.zeros(padding.shape, dtype=states.dtype, device=device).masked_fill_(padding, -torch.inf)
        return Words(states, self._layers.first.project(states), bias)

    def __call__(self, prompts: Sequence[Tensor], sizes: Sequence[int], words: Words) -> Tensor:
        """Last hidden states at position 0.

        Args:
            prompts: one a lane, each (n, d).
            sizes: how many of the items stand behind each prompt, in order.
            words: all items.

        Returns:
            shape (items, d), in the weights' precision.
        """
        states: Tensor = self._layers(*self._enter(prompts, sizes, words), words.bias, self._dropped)
        return states

    def _enter(self, prompts: Sequence[Tensor], sizes: Sequence[int], words: Words) -> tuple[Tensor, Tensor]:
        """Input of the first layer, (items, positions, d), and its projection, (items, positions, 3 d)."""
        stacked = torch.stack(list(prompts)).to(words.states.dtype) + self._positions[: prompts[0].shape[0]]
        rows = _norm(self._model.embeddings.LayerNorm, stacked)
        if self._dropped:  # every text has a mask of its own, so no rows are alike
            rows = dropout(_spread(rows, sizes), self._dropped)
            projected = self._layers.first.project(rows)
        else:
            projected = _spread(self._layers.first.project(rows), sizes)
            rows = _spread(rows, sizes)
        return torch.cat([rows, words.states], 1), torch.cat([projected, words.projected], 1)


class LeanLayers(nn.Module):
    """All layers: a module, so that torch's hooks for every module see a pass through them, as with any other model."""

    def __init__(self, layers: Sequence[_Layer]) -> None:
        super().__init__()
        self._layers = layers

    @property
    def first(self) -> _Layer:
        """The layer that words enter."""
        return self._layers[0]

    def forward(self, states: Tensor, projected: Tensor, bias: Tensor | None, dropped: float) -> Tensor:
        """Last hidden states at position 0, (items, d), from the input of the first layer and its projection."""
        last = len(self._layers) - 1
        for number, layer in enumerate(self._layers):
            if number == last:
                query, key, value = layer.first_query(states)
                states = states[:, :1]
            else:
                query, key, value = layer.split(projected if number == 0 else layer.project(states))
            states = layer(states, query, key, value, bias, dropped)
        return states[:, 0]


class _Layer:
    """One layer of XLM-R over frozen weights."""

    def __init__(self, layer: Any) -> None:
        attention = layer.attention.self
        parts = (attention.query, attention.key, attention.value)
        self._weight = torch.cat([part.weight for part in parts])
        self._bias = torch.cat([part.bias for part in parts])
        for part, weight, bias in zip(parts, self._weight.chunk(3), self._bias.chunk(3), strict=True):
            part.weight.data, part.bias.data = weight, bias  # views: the weights lie in memory once
        self._heads = int(attention.num_attention_heads)
        self._dropped = float(attention.dropout.p)
        self._attended, self._widened, self._narrowed = layer.attention.output, layer.intermediate, layer.output

    def project(self, states: Tensor) -> Tensor:
        """Queries, keys and values of all positions, side by side."""
        return linear(states, self._weight, self._bias)

    def split(self, projected: Tensor) -> tuple[Tensor, ...]:
        """Parts of width d, each as (items, heads, positions, d / heads)."""
        count = projected.shape[-1] * 3 // self._weight.shape[0]
        return tuple(part.transpose(1, 2) for part in projected.unflatten(-1, (count, self._heads, -1)).unbind(2))

    def first_query(self, states: Tensor) -> tuple[Tensor, ...]:
        """The query of position 0, keys and values of all."""
        width = states.shape[-1]
        (query,) = self.split(linear(states[:, :1], self._weight[:width], self._bias[:width]))
        key, value = self.split(linear(states, self._weight[width:], self._bias[width:]))
        return query, key, value

    def __call__(
        self, states: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float
    ) -> Tensor:
        """The layer's output for the positions that have a query; `states` are those positions' inputs."""
        share = self._dropped if dropped else 0.0
        mixed = attention(query, key, value, bias, share).transpose(1, 2).flatten(2)
        states = self._add(self._attended, mixed, states, dropped)
        inner = linear(states, self._widened.dense.weight, self._widened.dense.bias)
        return self._add(self._narrowed, self._widened.intermediate_act_fn(inner), states, dropped)

    @staticmethod
    def _add(part: Any, inputs: Tensor, states: Tensor, dropped: float) -> Tensor:
        outputs = dropout(linear(inputs, part.dense.weight, part.dense.bias), dropped)
        return _norm(part.LayerNorm, outputs + states)


def lean_encoder(model: PreTrainedModel) -> LeanEncoder | None:
    """The lean computation of this model; None where it is no plain XLM-R encoder with its usual attention."""
    if type(model) is not XLMRobertaModel:  # a subclass may compute something else
        return None
    config = model.config
    usual = getattr(config, "_attn_implementation", None) == "sdpa" and not config.is_decoder
    plain = usual and all(type(layer) is XLMRobertaLayer for layer in model.encoder.layer)
    return LeanEncoder(model) if plain else None


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` for weights that are never trained."""
    if _ONEDNN is None or not inputs.is_cpu or inputs.dtype != torch.float32 or not inputs.numel():
        return functional.linear(inputs, weight, bias)
    outputs: Tensor = _FrozenLinear.apply(inputs, weight, bias)  # type: ignore[no-untyped-call]
    return outputs


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropped: float) -> Tensor:
    """`scaled_dot_product_attention` of (items, heads, positions, width), whose weights are dropped with this share.

    On a CPU it runs in float32: torch's own kernel is slower in bfloat16, four times so backward. With dropout torch
    has no kernel there, and what it does instead draws slow masks.
    """
    if not query.is_cpu:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropped)
    dtype = query.dtype
    query, key, value = query.float(), key.float(), value.float()
    bias = None if bias is None else bias.float()
    if not dropped:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias).to(dtype)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    weights = (scores if bias is None else scores + bias).softmax(-1)
    return (dropout(weights, dropped) @ value).to(dtype)


def dropout(inputs: Tensor, share: float) -> Tensor:
    """`torch.nn.functional.dropout` in train mode: on a CPU, with masks drawn twice as fast.

    An input is dropped where 32 random bits, read as a number, are below share * 2^32; torch's own draw has 24 bits.
    """
    if not share:
        return inputs
    if not inputs.is_cpu:
        return functional.dropout(inputs, share)
    words = torch.empty((inputs.numel() + 1) // 2, dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int32)[: inputs.numel()].view(inputs.shape)
    mask = (bits >= round(share * 2**32) - 2**31).to(inputs.dtype)
    return (inputs * mask).mul_(1.0 / (1.0 - share))


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
        return _product(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return _product(gradient, weight.t(), None), None, None


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    assert _ONEDNN is not None
    return _ONEDNN(inputs, weight, bias, "none", [], None)


def _norm(norm: nn.LayerNorm, states: Tensor) -> Tensor:
    return functional.layer_norm(states, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def _spread(rows: Tensor, sizes: Sequence[int]) -> Tensor:
    """Each lane's rows, (lanes, n, width), repeated for its items: (items, n, width)."""
    return torch.cat([row.expand(size, -1, -1) for row, size in zip(rows, sizes, strict=True)])
