"""LT-SFT (Ansell et al., ACL 2022): sparse differences of weights, one a language and one of the task, that add up.

With `denoise=svd` weights are chosen as in DeFT-X (Simon & Jyothi, Findings of EMNLP 2025).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.lm_head import check_lm_head, masked_lm_skeleton
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import Context, FitSummary, LanguageFit
from xlt_bench.recipe import LANGUAGE_ROLE, Phase, Rate, Recipe
from xlt_bench.resources import UNLABELLED_FOLDER, UNLABELLED_TARGET, Text
from xlt_bench.task import Labelled
from xlt_bench.training.by_language import ForwardByLanguage
from xlt_bench.training.classifier import ClassifierForward
from xlt_bench.training.data import TrainData, text_limit
from xlt_bench.training.language_fit import fit_masked_lm, language_phase
from xlt_bench.training.losses import Loss, mean_cross_entropy
from xlt_bench.training.masked_lm import MaskedLm
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.order import Index, by_language
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.sparse_difference import SparseDifference, check_count, denoised, largest, masked_gradients
from xlt_bench.training.tuned_encoder import HEAD, EncoderTuning, FittedEncoder, TunedEncoder

_LANGUAGE_K, _TASK_K = 13, 24
"""Times d squared: the published 7,667,712 and 14,155,776 of base models (d = 768)."""
_PENALTY = 0.1
"""Weight of the mean absolute difference while a language is fitted."""


@dataclass(frozen=True, kw_only=True)
class LtSft(EncoderTuning):
    """All weights but layer norms are fitted, those that moved most are chosen, and fitted anew from the start.

    Half of a budget goes to either fit. At test the differences of task and language are added to the backbone.

    Args:
        text: where unlabelled text comes from: `target`, the targets' train texts without labels; `folder`, the user's.
        language_k, task_k: weights that a difference changes; None: 13 and 24 times the squared width, as published.
        denoise: what is ranked: differences as they are (`none`), or denoised by singular values (`svd`).
        rank: of `svd`, share of a matrix's variance that its leading singular vectors explain.
        keep: of `svd`, share of the remaining entries that is kept beside.
        language_steps: of the fit of a language, in place of the preset's.
        language_learning_rate: likewise.
    """

    text: Literal["target", "folder"] = "target"
    language_k: int | None = None
    task_k: int | None = None
    denoise: Literal["none", "svd"] = "none"
    rank: float = 0.9
    keep: float = 0.05
    language_steps: int | None = None
    language_learning_rate: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0.0 < self.rank <= 1.0 and 0.0 <= self.keep <= 1.0):
            raise ConfigError(f"rank and keep of lt-sft are shares up to 1, not {self.rank:g} and {self.keep:g}")
        if self.language_steps is not None and self.language_steps < 2:
            raise ConfigError(f"language_steps of lt-sft must be at least 2, one a phase, and is {self.language_steps}")

    @property
    def needs(self) -> frozenset[str]:
        """The targets' unlabelled text."""
        return super().needs | {UNLABELLED_TARGET if self.text == "target" else UNLABELLED_FOLDER}

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one without a masked language model head, or with fewer weights than are to be chosen."""
        check_lm_head(source)
        model = masked_lm_skeleton(source)
        encoder: nn.Module = getattr(model, model.base_model_prefix)
        total = sum(parameter.numel() for parameter in maskable(encoder).values())
        for count in (self.language_k, self.task_k):
            if count is not None:
                check_count(count, total)

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """AdamW and a linear schedule, without decay of what is masked; sources in docs/presets.md."""
        small = preset in ("cldr", "e5")
        language, task, steps = (5e-4, 5e-4, 300) if small else (5e-5, 2e-5, 3_000)
        budget = Phase(steps=self.language_steps or steps, patience=None)
        recipe = replace(common, optimiser="adamw", schedule="linear", language=budget)
        recipe = recipe.with_roles(backbone=Rate(task), **{LANGUAGE_ROLE: Rate(language)})
        return recipe.with_rates(**{LANGUAGE_ROLE: self.language_learning_rate})

    def language_settings(self) -> Mapping[str, Any]:
        """How many weights are chosen, and how."""
        svd = {"rank": self.rank, "keep": self.keep} if self.denoise == "svd" else {}
        return {"k": self.language_k, "denoise": self.denoise, **svd}

    def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
        """A difference with which the encoder guesses hidden words of a language better."""
        encoder = self.insert(context.backbone.fresh_encoder().requires_grad_(False), context.backbone)
        weights = maskable(encoder)
        start = _copies(weights)
        model = MaskedLm(encoder, list(weights.values()), penalty=lambda: _PENALTY * _mean_change(weights, start))
        first, second = _halves(language_phase(context), 0, context.recipe.batch_size)
        full = fit_masked_lm(model, language, texts, context, first, None)
        chosen = self._chosen(start, weights, self._count(self.language_k, _LANGUAGE_K, encoder, context.backbone))
        _put_back(weights, start)
        with masked_gradients(weights, chosen):
            sparse = fit_masked_lm(model, language, texts, context, second, full.loss_before)
        difference = SparseDifference.between(start, weights, chosen)
        summary = replace(sparse, steps=full.steps + sparse.steps, selected_step=full.steps + sparse.selected_step)
        return LanguageFit(difference.tensors(), summary)

    def _count(self, requested: int | None, factor: int, encoder: nn.Module, backbone: Backbone) -> int:
        """Weights to choose."""
        total = sum(weight.numel() for weight in maskable(encoder).values())
        if requested is None:
            return min(factor * backbone.architecture.head_width**2, total)
        check_count(requested, total)
        return requested

    def _chosen(self, start: Mapping[str, Tensor], end: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Masks of the weights that moved most."""
        differences = {name: end[name].detach() - value for name, value in start.items()}
        if self.denoise == "svd":
            differences = {name: denoised(value, self.rank, self.keep) for name, value in differences.items()}
        return largest(differences, count)

    def insert(self, encoder: nn.Module, backbone: Backbone) -> nn.Module:
        """All weights but those of layer norms are trained."""
        for weight in maskable(encoder).values():
            weight.requires_grad_(True)
        return encoder

    def roles(self, encoder: nn.Module) -> Roles:
        """They have the backbone's rate."""
        return {"backbone": list(maskable(encoder).values())}

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        """Of one language each, whose difference is there for the step."""
        return by_language(data, recipe.batch_size, seed)

    def forward(self, context: Context, loss: Loss = mean_cross_entropy) -> ClassifierForward:
        """Every text through the encoder with the difference of its language; without, where there is none."""
        differences: dict[str, SparseDifference] = {}

        def speaking(module: nn.Module, language: str) -> AbstractContextManager[None]:
            if language not in context.languages.fits:
                return nullcontext()
            if language not in differences:
                differences[language] = SparseDifference.from_tensors(context.languages.fits[language].weights)
            assert isinstance(module, TunedEncoder)
            return differences[language].added(maskable(module.encoder))

        return ForwardByLanguage(context.backbone, context.recipe.read_out, loss, speaking=speaking)

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedSparse:
        """Fit one seed."""
        text_limit(context.backbone, context.recipe, self.positions)
        module = self.new_module(context.backbone, len(context.labels), context.seed)
        weights = maskable(module.encoder)
        count = self._count(self.task_k, _TASK_K, module.encoder, context.backbone)
        start, head = _copies(weights), _copies(module.head.state_dict())
        first, second = _halves(context.recipe.source, len(train), context.recipe.batch_size)
        assert first.steps is not None
        recipe = replace(context.recipe, checkpoint="last", evaluate_every=first.steps)
        self.train_module(module, train, dev, replace(context, recipe=recipe), first)
        chosen = self._chosen(start, weights, count)
        _put_back(weights, start)
        module.head.load_state_dict(head)
        return self._train_chosen(module, train, dev, context, second, chosen, first.steps)

    def _train_chosen(
        self,
        module: TunedEncoder,
        train: Labelled,
        dev: Labelled,
        context: Context,
        phase: Phase,
        chosen: Mapping[str, Tensor],
        earlier_steps: int,
    ) -> FittedSparse:
        weights = maskable(module.encoder)
        with masked_gradients(weights, chosen):
            fitted = self.train_module(module, train, dev, context, phase)
        start = maskable(context.backbone.encoder)
        difference = SparseDifference.between(start, weights, chosen)
        _put_back(weights, start)
        difference.add_to(weights)  # as a loaded one is, to the last bit
        return FittedSparse(self, module, context, _later(fitted.summary, earlier_steps), difference)

    def load(self, folder: Path, context: Context) -> FittedSparse:
        """Restore what `FittedSparse.save` wrote."""
        tensors, summary = load_fit(folder)
        head = {name.removeprefix(HEAD): value for name, value in tensors.items() if name.startswith(HEAD)}
        difference = SparseDifference.from_tensors(tensors)
        return FittedSparse(self, self._module(context, difference, head), context, summary, difference)

    def _module(self, context: Context, difference: SparseDifference, head: Mapping[str, Tensor]) -> TunedEncoder:
        """A module of its own with the difference in it."""
        module = self.new_module(context.backbone, len(context.labels), context.seed)
        difference.add_to(maskable(module.encoder))
        module.head.load_state_dict(dict(head))
        return module


class FittedSparse(FittedEncoder):
    """A task's difference, in an encoder of its own, and the head."""

    def __init__(
        self,
        method: LtSft,
        module: TunedEncoder,
        context: Context,
        summary: FitSummary,
        difference: SparseDifference,
    ) -> None:
        super().__init__(method, module, context, summary)
        self.sparse_method = method
        self.difference = difference

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedSparse:
        """Go on training the chosen weights, and the head, of a copy on a target language."""
        method, head = self.sparse_method, self.module.head.state_dict()
        module = method._module(context, self.difference, head)
        chosen = self.difference.masks(maskable(module.encoder))
        return method._train_chosen(module, train, dev, context, context.recipe.target, chosen, 0)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` (the difference and the head) and `fit.json`."""
        head = {HEAD + name: value for name, value in self.module.head.state_dict().items()}
        save_fit(folder, {**self.difference.tensors(), **head}, self.summary)


def maskable(encoder: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that a difference may change, by name: all but those of layer norms."""
    norms = {
        id(parameter)
        for module in encoder.modules()
        if "Norm" in type(module).__name__
        for parameter in module.parameters(recurse=False)
    }
    return {name: parameter for name, parameter in encoder.named_parameters() if id(parameter) not in norms}


def _halves(phase: Phase, items: int, batch_size: int) -> tuple[Phase, Phase]:
    """The budget in two; the full fit goes to its end.

    Raises:
        MethodError: less than one step each.
    """
    steps = phase.total_steps(items, batch_size)
    if steps < 2:
        raise MethodError(f"lt-sft fits twice, and the budget is {steps} step; give 2 or more (--steps)")
    first = replace(phase, steps=steps // 2, epochs=None, patience=None)
    return first, replace(phase, steps=steps - steps // 2, epochs=None)


def _later(summary: FitSummary, steps: int) -> FitSummary:
    """A summary of the second fit, with the steps of the first before it."""
    selected = None if summary.selected_step is None else summary.selected_step + steps
    history = tuple(replace(point, step=point.step + steps) for point in summary.history)
    return replace(summary, steps=summary.steps + steps, selected_step=selected, history=history)


def _copies(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}


def _mean_change(weights: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> Tensor:
    """Mean absolute difference, a scalar with a gradient."""
    total = torch.stack([(weights[name] - value).abs().sum() for name, value in start.items()]).sum()
    return total / sum(value.numel() for value in start.values())


@torch.no_grad()
def _put_back(weights: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        weights[name].copy_(value)
