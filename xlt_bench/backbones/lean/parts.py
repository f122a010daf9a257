"""The parts of BERT-like models under common names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.bert.modeling_bert import BertLayer, BertModel
from transformers.models.camembert.modeling_camembert import CamembertLayer, CamembertModel
from transformers.models.electra.modeling_electra import ElectraLayer, ElectraModel
from transformers.models.mpnet.modeling_mpnet import MPNetLayer, MPNetModel
from transformers.models.roberta.modeling_roberta import RobertaLayer, RobertaModel
from transformers.models.xlm_roberta.modeling_xlm_roberta import XLMRobertaLayer, XLMRobertaModel


@dataclass(frozen=True)
class LayerParts:
    """One layer: attention, its output added and normed, feed-forward, its output added and normed.

    Attributes:
        query, key, value: projections of width d.
        heads: of the attention.
        attention_dropout: share of attention weights that are dropped while fitting.
        dropout: share of states that are dropped before each of the two additions, while fitting.
        attended, attended_norm: what follows the attention.
        widened, activation, narrowed, narrowed_norm: the feed-forward part.
    """

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    heads: int
    attention_dropout: float
    dropout: float
    attended: nn.Linear
    attended_norm: nn.LayerNorm
    widened: nn.Linear
    activation: Callable[[Tensor], Tensor]
    narrowed: nn.Linear
    narrowed_norm: nn.LayerNorm


@dataclass(frozen=True)
class EncoderParts:
    """A model.

    Attributes:
        words: embeddings of token ids.
        positions: what is added to the embedding at each position, the first token's first, (positions, width).
        segments: what is added beside it to a token of each text of a pair, (kinds, width); None: nothing.
        norm: after the sum of the three.
        projection: from the embeddings' width to the layers'; None where they are one.
        distances: from a number of positions to what is added to attention scores, (1, heads, n, n); None: nothing.
        layers: the first one first.
        dropout: share that is dropped after the embeddings while fitting.
    """

    words: nn.Embedding
    positions: Tensor
    segments: Tensor | None
    norm: nn.LayerNorm
    projection: nn.Linear | None
    distances: Callable[[int], Tensor] | None
    layers: tuple[LayerParts, ...]
    dropout: float


_LAYERS: Mapping[type[nn.Module], type[nn.Module]] = {
    BertModel: BertLayer,
    CamembertModel: CamembertLayer,
    ElectraModel: ElectraLayer,
    RobertaModel: RobertaLayer,
    XLMRobertaModel: XLMRobertaLayer,
}
"""Models of one shape, and their layers. A subclass of either may compute something else, so types must be equal."""


def parts_of(model: PreTrainedModel) -> EncoderParts | None:
    """The parts of this model; None where it is none of these types, or is not computed in their usual way."""
    if type(model) is MPNetModel:
        return _mpnet(model) if _is_plain(model, MPNetLayer) else None
    layer = _LAYERS.get(type(model))
    usual = getattr(model.config, "_attn_implementation", None) == "sdpa"
    if layer is None or not usual or getattr(model.config, "is_decoder", False) or not _is_plain(model, layer):
        return None
    return _bert(model)


def _is_plain(model: Any, layer: type[nn.Module]) -> bool:
    return all(type(part) is layer for part in model.encoder.layer)


def _bert(model: Any) -> EncoderParts:
    embeddings = model.embeddings
    kinds = embeddings.token_type_embeddings.weight
    first = getattr(embeddings, "padding_idx", -1) + 1  # fairseq's models count positions from there
    return EncoderParts(
        words=embeddings.word_embeddings,
        positions=embeddings.position_embeddings.weight[first:] + kinds[0],
        segments=kinds - kinds[0],
        norm=embeddings.LayerNorm,
        projection=getattr(model, "embeddings_project", None),
        distances=None,
        layers=tuple(_bert_layer(layer) for layer in model.encoder.layer),
        dropout=float(model.config.hidden_dropout_prob),
    )


def _bert_layer(layer: Any) -> LayerParts:
    attention, attended = layer.attention.self, layer.attention.output
    return LayerParts(
        query=attention.query,
        key=attention.key,
        value=attention.value,
        heads=int(attention.num_attention_heads),
        attention_dropout=float(attention.dropout.p),
        dropout=float(layer.output.dropout.p),
        attended=attended.dense,
        attended_norm=attended.LayerNorm,
        **_feed_forward(layer),
    )


def _mpnet(model: Any) -> EncoderParts:
    embeddings, encoder = model.embeddings, model.encoder

    @torch.no_grad()
    def distances(positions: int) -> Tensor:
        weight = encoder.relative_attention_bias.weight
        bias: Tensor = encoder.compute_position_bias(weight.new_empty(1, positions, 0))
        return bias

    return EncoderParts(
        words=embeddings.word_embeddings,
        positions=embeddings.position_embeddings.weight[embeddings.padding_idx + 1 :],
        segments=None,
        norm=embeddings.LayerNorm,
        projection=None,
        distances=distances,
        layers=tuple(_mpnet_layer(layer) for layer in encoder.layer),
        dropout=float(model.config.hidden_dropout_prob),
    )


def _mpnet_layer(layer: Any) -> LayerParts:
    attention = layer.attention.attn
    return LayerParts(
        query=attention.q,
        key=attention.k,
        value=attention.v,
        heads=int(attention.num_attention_heads),
        attention_dropout=float(attention.dropout.p),
        dropout=float(layer.output.dropout.p),
        attended=attention.o,
        attended_norm=layer.attention.LayerNorm,
        **_feed_forward(layer),
    )


def _feed_forward(layer: Any) -> dict[str, Any]:
    return {
        "widened": layer.intermediate.dense,
        "activation": layer.intermediate.intermediate_act_fn,
        "narrowed": layer.output.dense,
        "narrowed_norm": layer.output.LayerNorm,
    }
