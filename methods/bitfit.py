"""BitFit (Ben Zaken, Goldberg & Ravfogel, 2022): every bias of the encoder is trained, and the classification head."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.errors import ConfigError
from xlt_bench.recipe import Rate, Recipe
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.tuned_encoder import EncoderTuning


@dataclass(frozen=True, kw_only=True)
class BitFit(EncoderTuning):
    """Biases of all linear layers and layer norms; weights stay frozen."""

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Unfreeze the biases.

        Raises:
            ConfigError: the backbone has none.
        """
        biases = [parameter for name, parameter in encoder.named_parameters() if name.endswith("bias")]
        if not biases:
            raise ConfigError(f"backbone '{backbone.source.name}' has no biases for bitfit to train; use --method lora")
        for parameter in biases:
            parameter.requires_grad_(True)
        return encoder

    def roles(self, encoder: nn.Module) -> Roles:
        """All of them are biases."""
        return {"bias": [p for p in encoder.parameters() if p.requires_grad]}

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """With a rate for the biases; sources in docs/presets.md."""
        return common.with_roles(bias=Rate(3e-3 if preset in ("cldr", "e5") else 4e-4))
