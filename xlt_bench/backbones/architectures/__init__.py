"""Architectures of backbones: where texts and prompts enter, what the head reads, how many positions are free.

A further type of encoder or decoder is a line in `encoders.py` or `decoders.py`; one that is called or loaded in
another way is a file with a subclass of `Architecture`, and a line in `SERVED`. `tests/backbones` makes a tiny model
of every type and compares it with transformers' own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from xlt_bench.backbones.architectures.base import Architecture
from xlt_bench.backbones.architectures.decoders import DECODERS, decoder
from xlt_bench.backbones.architectures.encoders import ENCODERS, encoder
from xlt_bench.backbones.architectures.t5 import T5_TYPES, t5_encoder
from xlt_bench.backbones.architectures.xmod import xmod
from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

__all__ = ["EXPORTABLE", "SERVED", "Architecture", "architecture_of"]

SERVED: Mapping[str, Callable[[PreTrainedConfig], Architecture]] = MappingProxyType(
    {
        **dict.fromkeys(ENCODERS, encoder),
        "xmod": xmod,
        **dict.fromkeys(T5_TYPES, t5_encoder),
        **dict.fromkeys(DECODERS, decoder),
    }
)
"""By model_type of `config.json`."""

EXPORTABLE = tuple(name for name, kind in ENCODERS.items() if kind.has_our_head)
"""Types whose sequence classification in transformers has the head that we train (see Architecture.has_our_head), and
sends all texts the same way, as X-MOD's does not."""


def architecture_of(config: PreTrainedConfig) -> Architecture:
    """The architecture of a pre-trained model.

    Raises:
        ConfigError: of a type that is not served (the error lists those that are), or configured as it cannot be used.
    """
    model_type = str(config.model_type)
    if model_type not in SERVED:
        raise ConfigError(
            f"type '{model_type}' is not served; encoders: {', '.join(sorted({*ENCODERS, 'xmod'}))}; "
            f"the encoder of {', '.join(T5_TYPES)}; decoders: {', '.join(DECODERS)}"
        )
    return SERVED[model_type](config)
