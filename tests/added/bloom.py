"""BLOOM: a decoder whose positions are distances (ALiBi), so that there is no limit to them and no position ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlt_bench.backbones.architectures.base import Architecture, initializer_range
from xlt_bench.backbones.architectures.decoders import Decoder

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class Bloom(Decoder):
    """A decoder that counts positions by itself."""

    def arguments(self, mask: Tensor, modules: Tensor | None) -> dict[str, Any]:
        """No cache of keys and values."""
        return {"use_cache": False}


def bloom(config: PreTrainedConfig) -> Architecture:
    """The architecture of a BLOOM."""
    return Bloom(
        model_type=config.model_type,
        prompt_width=int(config.hidden_size),
        head_width=int(config.hidden_size),
        positions=None,
        segments=0,
        embedding_rows=int(config.vocab_size),
        dropout=0.0,
        initializer_range=initializer_range(config),
        has_our_head=False,
    )
