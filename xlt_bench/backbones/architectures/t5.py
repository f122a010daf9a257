"""The encoder of T5 and of the models that share its layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from xlt_bench.backbones.architectures.base import Architecture, head_dropout
from xlt_bench.recipe import ReadOut

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

T5_TYPES = ("mt5", "t5", "umt5")
"""By model_type."""

_STANDARD_DEVIATION = 0.02
"""Of new linear layers; T5's own initialisation is for layers without biases and norms without centring."""


@dataclass(frozen=True)
class T5Encoder(Architecture):
    """The encoder alone. It has no token that stands for the whole text, so the mean is read by default."""

    read_outs: ClassVar[tuple[ReadOut, ...]] = ("mean", "first", "last")

    def load(self, folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, dict[str, Any]]:
        """The encoder in this precision; the decoder's weights are left in the file."""
        from transformers import MT5EncoderModel, T5EncoderModel, UMT5EncoderModel

        classes: dict[str, Any] = {"mt5": MT5EncoderModel, "t5": T5EncoderModel, "umt5": UMT5EncoderModel}
        model, report = classes[self.model_type].from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        return model, report


def t5_encoder(config: PreTrainedConfig) -> Architecture:
    """The architecture of the encoder of a T5. Its positions are relative, without a limit."""
    return T5Encoder(
        model_type=config.model_type,
        prompt_width=int(config.d_model),
        head_width=int(config.d_model),
        positions=None,
        segments=0,
        embedding_rows=int(config.vocab_size),
        dropout=head_dropout(config),
        initializer_range=_STANDARD_DEVIATION,
        has_our_head=False,
    )
