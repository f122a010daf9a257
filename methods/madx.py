"""MAD-X (Pfeiffer et al., EMNLP 2020): an adapter a language, learned from text alone, and a task adapter on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Literal

from torch import nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.lm_head import check_lm_head
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.languages.table import language_of
from xlt_bench.method import Context, LanguageFit, LanguageFits
from xlt_bench.recipe import LANGUAGE_ROLE, Phase, Rate, Recipe
from xlt_bench.resources import UNLABELLED_FOLDER, UNLABELLED_TARGET, Text
from xlt_bench.training.bottleneck import AdaptedEncoder, Bottleneck, LanguageAdapter, check_adaptable, weighted_sum
from xlt_bench.training.by_language import ForwardByLanguage
from xlt_bench.training.classifier import ClassifierForward
from xlt_bench.training.data import TrainData
from xlt_bench.training.language_fit import fit_masked_lm, frozen_loss, language_phase
from xlt_bench.training.losses import Loss, mean_cross_entropy
from xlt_bench.training.masked_lm import MaskedLm
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.order import Index, by_language
from xlt_bench.training.seeding import seeded
from xlt_bench.training.tuned_encoder import EncoderTuning, share_frozen


@dataclass(frozen=True, kw_only=True)
class MadX(EncoderTuning):
    """Language adapters and a task adapter; at test the language adapter is that of the text.

    Args:
        text: where unlabelled text comes from: `target`, the targets' train texts without labels; `folder`, the user's.
        combine: the language adapter of a target: its `own`; a mean of the sources' and its own (`arithmetic`); that of
            the `closest` source by family and script; the mean of the `source` ones; `none`. The last three use no
            text of the targets.
        source_share: weight of the sources' mean in `arithmetic`; its own has the rest.
        tlr: train batches take the language adapters of sources and targets in turn.
        invertible: whether language adapters have the invertible part.
        leave_out_last: the last layer has no adapters, as in MAD-X 2.0.
        language_reduction, task_reduction: width of the backbone over that inside an adapter.
        language_steps: of the fit of a language, in place of the preset's.
        language_learning_rate: likewise.
    """

    text: Literal["target", "folder"] = "target"
    combine: Literal["own", "arithmetic", "closest", "source", "none"] = "own"
    source_share: float = 0.5
    tlr: bool = False
    invertible: bool = True
    leave_out_last: bool = False
    language_reduction: int = 2
    task_reduction: int = 16
    language_steps: int | None = None
    language_learning_rate: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.source_share <= 1.0:
            raise ConfigError(f"source_share of madx is a share from 0 to 1, not {self.source_share:g}")
        if min(self.language_reduction, self.task_reduction) < 1:
            raise ConfigError("language_reduction and task_reduction of madx are whole numbers of at least 1")
        if self.language_steps is not None and self.language_steps < 1:
            raise ConfigError(f"language_steps of madx must be at least 1, and is {self.language_steps}")

    @property
    def needs(self) -> frozenset[str]:
        """The targets' unlabelled text, where their own adapters are used."""
        if not self.tlr and self.combine not in ("own", "arithmetic"):
            return super().needs
        return super().needs | {UNLABELLED_TARGET if self.text == "target" else UNLABELLED_FOLDER}

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one without a masked language model head, or of another build."""
        check_adaptable(source.architecture, source.name)
        check_lm_head(source)

    def check_languages(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Refuse what has no adapters to take: `tlr` without targets, combinations of sources without sources."""
        if self.tlr and set(targets) <= set(sources):
            raise ConfigError(
                "tlr of madx trains with the language adapters of targets that are no sources, and the fit on the "
                "sources knows none here (so it is under --protocol full and in the trials of tune); leave tlr out"
            )
        if not sources and self.combine not in ("own", "arithmetic"):
            raise ConfigError(
                f"combine={self.combine} of madx uses no text of the targets, and --sources none has no other; use "
                "combine=own"
            )

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """With rates for both kinds of adapters and the budget of a language; sources in docs/presets.md."""
        small = preset in ("cldr", "e5")
        language, task, steps = (5e-3, 3e-3, 300) if small else (1e-4, 1e-4, 3_000)
        recipe = replace(common, language=Phase(steps=self.language_steps or steps, patience=None))
        recipe = recipe.with_roles(adapter=Rate(task), **{LANGUAGE_ROLE: Rate(language)})
        return recipe.with_rates(**{LANGUAGE_ROLE: self.language_learning_rate})

    def language_settings(self) -> Mapping[str, Any]:
        """What an adapter is built by."""
        return {
            "invertible": self.invertible,
            "leave_out_last": self.leave_out_last,
            "reduction": self.language_reduction,
        }

    def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
        """An adapter that helps the frozen encoder to guess hidden words of a language."""
        backbone = context.backbone
        with seeded(context.seed):
            adapter = self.new_language_adapter(backbone).to(backbone.device)
        encoder = backbone.fresh_encoder().requires_grad_(False)
        share_frozen(list(encoder.parameters()), backbone)
        adapted = AdaptedEncoder(encoder, nn.ModuleDict())
        model = MaskedLm(adapted, list(adapter.parameters()), adapter.before_words)
        frozen_encoder_loss = frozen_loss(backbone.encoder, language, texts, context)
        with adapted.speaking(adapter):
            summary = fit_masked_lm(model, language, texts, context, language_phase(context), frozen_encoder_loss)
        return LanguageFit({name: value.cpu() for name, value in adapter.state_dict().items()}, summary)

    def new_language_adapter(self, backbone: Backbone) -> LanguageAdapter:
        """Drawn from torch's CPU generator."""
        width = backbone.architecture.head_width
        return LanguageAdapter(width, self._layers(backbone), self.language_reduction, invertible=self.invertible)

    def _layers(self, backbone: Backbone) -> range:
        """Numbers of the layers that have adapters."""
        layers = int(backbone.encoder.config.num_hidden_layers)
        return range(layers - 1 if self.leave_out_last else layers)

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """Put task adapters into the encoder, and the places of language adapters before them."""
        width = backbone.architecture.head_width
        task = {str(number): Bottleneck(width, self.task_reduction) for number in self._layers(backbone)}
        return AdaptedEncoder(encoder, nn.ModuleDict(task))

    def roles(self, encoder: nn.Module) -> Roles:
        """All of them are adapters."""
        return {"adapter": [p for p in encoder.parameters() if p.requires_grad]}

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        """Of one language each."""
        return by_language(data, recipe.batch_size, seed)

    def forward(self, context: Context, loss: Loss = mean_cross_entropy) -> ClassifierForward:
        """Every text through the adapter of its language."""
        adapters = _Adapters(self, context)
        turns = adapters.turns() if self.tlr and context.languages.fits else None
        backbone, read_out = context.backbone, context.recipe.read_out
        return ForwardByLanguage(backbone, read_out, loss, speaking=adapters.speaking, cycle=turns)


class _Adapters:
    """Which language adapter a text goes through; those in use are kept in memory."""

    def __init__(self, method: MadX, context: Context) -> None:
        self._method = method
        self._context = context
        self._ready: dict[str, LanguageAdapter | None] = {}

    def speaking(self, module: nn.Module, language: str) -> AbstractContextManager[None]:
        """Puts a module into a language."""
        encoder: Any = module.encoder
        if language not in self._ready:
            self._ready[language] = self._adapter(language)
        adapted: AbstractContextManager[None] = encoder.speaking(self._ready[language])
        return adapted

    def turns(self) -> Iterator[str]:
        """Languages of train batches under target-language-ready training: all that have an adapter, without end."""
        return cycle(self._languages.fits)

    @property
    def _languages(self) -> LanguageFits:
        return self._context.languages

    def _adapter(self, language: str) -> LanguageAdapter | None:
        parts = [(share, self._languages.fits[code].weights) for code, share in self._shares(language).items()]
        if not parts:
            return None
        with seeded(0):  # nobody sees what is drawn, and the global stream is not used up
            adapter = self._method.new_language_adapter(self._context.backbone).requires_grad_(False)
        adapter.load_state_dict(weighted_sum(parts))
        return adapter.to(self._context.backbone.device).eval()

    def _shares(self, language: str) -> dict[str, float]:
        """Of which adapters that of a language is the sum.

        A language with labels always has its own; one that nobody named as a target has the mean of the sources'.
        """
        labelled, combine = self._languages.labelled, self._method.combine
        if language in labelled:
            return {language: 1.0}
        if combine in ("own", "arithmetic") and language not in self._languages.fits:
            combine = "source"
        if combine == "own":
            return {language: 1.0}
        if combine == "none":
            return {}
        if combine == "closest":
            return {closest(language, labelled): 1.0}
        share = 1.0 if combine == "source" else self._method.source_share
        shares = dict.fromkeys(labelled, share / len(labelled))
        return shares if combine == "source" else {**shares, language: 1.0 - share}


def closest(language: str, candidates: Sequence[str]) -> str:
    """The first candidate of the same family and script; else of the same family; else of the same script; else any."""
    target = language_of(language)

    def likeness(code: str) -> tuple[bool, bool]:
        candidate = language_of(code)
        return bool(target.family) and candidate.family == target.family, candidate.script == target.script

    return max(candidates, key=likeness)
