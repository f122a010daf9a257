"""FLARE (Borchert et al., ACL 2025): LoRA whose inner states are fused with those of the same item in the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary
from xlt_bench.recipe import Phase, Rate, Recipe
from xlt_bench.resources import TRANSLATE_TRAIN, TRANSLATED_TEST
from xlt_bench.task import Labelled
from xlt_bench.training.bottleneck import check_adaptable
from xlt_bench.training.fused_lora import FusedEncoder, FusedForward, Fusion
from xlt_bench.training.losses import Loss, mean_cross_entropy
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.saving import load_fit
from xlt_bench.training.seeding import seeded
from xlt_bench.training.tuned_encoder import EncoderTuning, FittedEncoder, TunedEncoder, restore, seed_of, weights_of


@dataclass(frozen=True, kw_only=True)
class FLARE(EncoderTuning):
    """LoRA on the source; for a target a further one, fused with the states of each item's rendering in the source.

    Args:
        rank: r of both.
        alpha: what is added is times alpha / r.
        fusion: of the inner states of rendering and text: `relu-sum`, relu(a) + relu(b); `sum`; `product`.
    """

    rank: int = 8
    alpha: float = 16.0
    fusion: Fusion = "relu-sum"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rank < 1 or self.alpha <= 0.0:
            raise ConfigError(f"flare needs a rank of at least 1 and alpha > 0, not {self.rank} and {self.alpha:g}")

    @property
    def needs(self) -> frozenset[str]:
        """Renderings of the targets' items, those of the test split too."""
        return super().needs | {TRANSLATE_TRAIN, TRANSLATED_TEST}

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one of another build."""
        check_adaptable(source.architecture, source.name)

    def check_languages(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Refuse what leaves out a stage, and renderings in several languages."""
        if len(sources) != 1:
            raise ConfigError(
                f"flare reads each item of a target in the source language too, and there are {len(sources)} source "
                "languages; give one, such as --sources eng_Latn"
            )
        if targets:
            raise ConfigError(
                "the second stage of flare learns from a target's labelled items, which --protocol zero-shot and tune "
                "have none of; use run --protocol full"
            )

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """With LoRA's rate; sources in docs/presets.md."""
        return common.with_roles(adapter=Rate(3e-3 if preset in ("cldr", "e5") else 3e-4))

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Put the maps of the first stage into the encoder, and the places of the second's."""
        return FusedEncoder(encoder, self.rank, self.alpha, self.fusion)

    def roles(self, encoder: nn.Module) -> Roles:
        """All of them are adapters."""
        return {"adapter": [parameter for parameter in encoder.parameters() if parameter.requires_grad]}

    def forward(self, context: Context, loss: Loss = mean_cross_entropy) -> FusedForward:
        """Texts as they are in the first stage, beside their renderings in the second."""
        return FusedForward(context.backbone, context.recipe.read_out, loss)

    def train_module(
        self, module: TunedEncoder, train_split: Labelled, dev: Labelled, context: Context, phase: Phase
    ) -> FittedFLARE:
        """Train a module of either stage in place."""
        fitted = super().train_module(module, train_split, dev, context, phase)
        return FittedFLARE(self, fitted.module, context, fitted.summary)

    def load(self, folder: Path, context: Context) -> FittedFLARE:
        """Restore what `FittedFLARE.save` wrote."""
        weights, summary = load_fit(folder)
        second = any(".second." in name for name in weights)
        return FittedFLARE(self, self.module_with(weights, second, seed_of(folder), context), context, summary)

    def module_with(self, weights: dict[str, Tensor], second: bool, seed: int, context: Context) -> TunedEncoder:
        """A module of its own with these weights.

        Args:
            weights: of `weights_of`.
            second: whether they are of the second stage.
            seed: that the rest follows from.
            context: of a fit.
        """
        module = self.new_module(context.backbone, len(context.labels), seed)
        module = begin_second(module, seed) if second else module
        restore(module, weights, context.backbone)
        return module


class FittedFLARE(FittedEncoder):
    """An encoder after one stage or both, and the head."""

    def __init__(self, method: FLARE, module: TunedEncoder, context: Context, summary: FitSummary) -> None:
        super().__init__(method, module, context, summary)
        self.flare = method

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedFLARE:
        """The second stage: of a copy, on a target; or more of it, where it has begun."""
        encoder = self.module.encoder
        assert isinstance(encoder, FusedEncoder)
        weights = dict(weights_of(self.module, self.context.backbone))
        module = self.flare.module_with(weights, encoder.fuses, self.module.seed, context)
        module = module if encoder.fuses else begin_second(module, context.seed)
        return self.flare.train_module(module, train, dev, context, context.recipe.target)


def begin_second(module: TunedEncoder, seed: int) -> TunedEncoder:
    """The same encoder and head, with frozen first maps and new second ones, drawn from the seed alone."""
    encoder = module.encoder
    assert isinstance(encoder, FusedEncoder)
    with seeded(seed):
        encoder.begin_second()
    device = next(module.head.parameters()).device
    return TunedEncoder(encoder.to(device), module.head, seed).eval()
