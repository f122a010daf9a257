"""Encoders with masked language modelling: which types are served, and in what they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from xlt_bench.backbones.architectures.base import Architecture, free_positions, head_dropout, initializer_range
from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class EncoderType:
    """In what a type differs from BERT.

    Attributes:
        embedding_size: the configuration's name of an input embedding's length.
        first_position: position id of the first token: a number, or one after the id of the padding token.
        has_our_head: see Architecture.
    """

    embedding_size: str = "hidden_size"
    first_position: int | Literal["after padding"] = 0
    has_our_head: bool = False


_ROBERTA = EncoderType(first_position="after padding", has_our_head=True)

ENCODERS: Mapping[str, EncoderType] = MappingProxyType(
    {
        "albert": EncoderType(embedding_size="embedding_size"),
        "bert": EncoderType(),
        "camembert": _ROBERTA,
        "data2vec-text": _ROBERTA,
        "deberta-v2": EncoderType(embedding_size="embedding_size"),
        "distilbert": EncoderType(),
        "electra": EncoderType(embedding_size="embedding_size"),
        "ernie": EncoderType(),
        "eurobert": EncoderType(),
        "luke": EncoderType(first_position="after padding"),
        "modernbert": EncoderType(),
        "mpnet": EncoderType(first_position=2, has_our_head=True),
        "rembert": EncoderType(embedding_size="input_embedding_size"),
        "roberta": _ROBERTA,
        "roformer": EncoderType(embedding_size="embedding_size"),
        "xlm": EncoderType(),
        "xlm-roberta": _ROBERTA,
        "xlm-roberta-xl": _ROBERTA,
    }
)
"""By model_type. MPNet's code counts from 2, whatever the id of its padding token.

MobileBERT is left out: each of its tokens mixes with its neighbours' embeddings, padding among them, so that a text's
state depends on the batch it is in.
"""


def encoder(config: PreTrainedConfig) -> Architecture:
    """The architecture of an encoder of one of these types.

    Raises:
        ConfigError: the configuration makes a decoder of it, or lacks what positions are counted from.
    """
    if getattr(config, "is_decoder", False) or getattr(config, "causal", False):
        raise ConfigError(
            f"its config.json makes a decoder of type '{config.model_type}' (is_decoder); "
            "set is_decoder to false and save it again"
        )
    kind = ENCODERS[config.model_type]
    return Architecture(
        model_type=config.model_type,
        prompt_width=int(getattr(config, kind.embedding_size, None) or config.hidden_size),
        head_width=int(config.hidden_size),
        positions=free_positions(config, first_position(config, kind)),
        segments=segments(config),
        embedding_rows=int(config.vocab_size),
        dropout=head_dropout(config),
        initializer_range=initializer_range(config),
        has_our_head=kind.has_our_head,
    )


def first_position(config: PreTrainedConfig, kind: EncoderType) -> int:
    """Position id of the first token.

    Raises:
        ConfigError: it follows from the id of the padding token, and the configuration names none.
    """
    if kind.first_position != "after padding":
        return kind.first_position
    if config.pad_token_id is None:
        raise ConfigError("its config.json has no pad_token_id, from which this type counts positions")
    return int(config.pad_token_id) + 1


def segments(config: PreTrainedConfig) -> int:
    """Kinds of token that the embeddings tell apart."""
    return int(getattr(config, "type_vocab_size", None) or 0)
