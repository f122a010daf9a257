"""Decoders: every position sees what stands before it, so a text is read at its last token or as a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from xlt_bench.backbones.architectures.base import Architecture, free_positions, initializer_range
from xlt_bench.recipe import ReadOut

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig

DECODERS = (
    "gemma",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "llama",
    "mistral",
    "olmo2",
    "phi3",
    "qwen2",
    "qwen3",
    "smollm3",
)
"""By model_type."""


@dataclass(frozen=True)
class Decoder(Architecture):
    """A decoder. Padding may stand on either side: positions are counted from the first token that is shown."""

    read_outs: ClassVar[tuple[ReadOut, ...]] = ("last", "mean")
    is_causal: ClassVar[bool] = True

    def arguments(self, mask: Tensor, modules: Tensor | None) -> dict[str, Any]:
        """Position ids, (items, positions), and no cache of keys and values."""
        return {"position_ids": (mask.long().cumsum(1) - 1).clamp_min(0), "use_cache": False}


def decoder(config: PreTrainedConfig) -> Architecture:
    """The architecture of a decoder of one of these types."""
    return Decoder(
        model_type=config.model_type,
        prompt_width=int(config.hidden_size),
        head_width=int(config.hidden_size),
        positions=free_positions(config),
        segments=0,
        embedding_rows=int(config.vocab_size),
        dropout=0.0,
        initializer_range=initializer_range(config),
        has_our_head=False,
    )
