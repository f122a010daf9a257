"""X-MOD: an XLM-R with modules of each pre-training language, of which one set is used for all texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlt_bench.backbones.architectures.base import Architecture, free_positions, head_dropout, initializer_range
from xlt_bench.backbones.architectures.encoders import EncoderType, first_position, segments
from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


def xmod(config: PreTrainedConfig) -> Architecture:
    """The architecture of an X-MOD with a language.

    Raises:
        ConfigError: its configuration does not say which language's modules to use.
    """
    if config.default_language not in config.languages:
        listed = ", ".join(config.languages[:8]) + (", ..." if len(config.languages) > 8 else "")
        raise ConfigError(
            "its config.json names no default_language, whose modules all texts go through; "
            f"set it to one of its languages: {listed}"
        )
    return Architecture(
        model_type=config.model_type,
        prompt_width=int(config.hidden_size),
        head_width=int(config.hidden_size),
        positions=free_positions(config, first_position(config, EncoderType(first_position="after padding"))),
        segments=segments(config),
        embedding_rows=int(config.vocab_size),
        dropout=head_dropout(config),
        initializer_range=initializer_range(config),
        has_our_head=True,
    )
