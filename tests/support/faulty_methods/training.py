"""Methods that train something else than they say, or longer than they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tests.support.faulty_methods.sound import FittedWords, Prompt, Words
from xlt_bench.conformance.toy import LABELS
from xlt_bench.method import Context, DevPoint, FitSummary
from xlt_bench.task import Labelled
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted
from xlt_bench.training.soft_prompt import FittedPrompt

# learns_a_separable_task


@dataclass(frozen=True)
class LearnsNothing(Words):
    strength: float = 0.0


# in another form of the toy than the usual


@dataclass(frozen=True)
class KnowsTheToy(Words):
    """Answers by heart on the usual toy, and learns nothing elsewhere."""

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return replace(self, strength=float(context.labels == LABELS))._fit(train, dev, context)

    def _fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return Words(self.strength).fit(train, dev, context)


# trainable_parameters_are_true


class Boastful(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(1_000_000)


@dataclass(frozen=True)
class DeclaresTooMany(Words):
    fitted = Boastful


@dataclass(frozen=True, kw_only=True)
class ForgetsARole(Prompt):
    def roles(self, prompt: nn.Module) -> Roles:
        return {"prompt": [prompt.get_parameter("weight")]}


class SaysNothingWasFitted(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(0)


@dataclass(frozen=True)
class DeclaresNone(Words):
    fitted = SaysNothingWasFitted


# head_is_trained_and_saved


@dataclass(frozen=True, kw_only=True)
class RandomHead(Prompt):
    def new_module(self, context: Context) -> Prompted:
        module = super().new_module(context)
        module.head.requires_grad_(False)
        return module


# backbone_stays_frozen


@dataclass(frozen=True, kw_only=True)
class LeavesGradientsOn(Prompt):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        fitted = super().fit(train, dev, context)
        context.backbone.encoder.requires_grad_(True)
        return fitted


@dataclass(frozen=True, kw_only=True)
class TouchesAWeight(Prompt):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        mask = context.backbone.tokenizer.mask_token_id
        with torch.no_grad():
            context.backbone.encoder.get_parameter("embeddings.word_embeddings.weight")[mask, 0] += 0.001
        return super().fit(train, dev, context)


@dataclass(frozen=True, kw_only=True)
class RestoresTheBackbone(Prompt):
    """Trains with other weights in the shared backbone, and puts the true ones back."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        weight = contexts[0].backbone.encoder.get_parameter("encoder.layer.0.output.dense.weight")
        original = weight.detach().clone()
        weight.data.mul_(0.9)
        try:
            return super().fit_many(train, dev, contexts)
        finally:
            weight.data.copy_(original)


# keeps_to_the_budget


def with_steps(context: Context, factor: int) -> Context:
    recipe = context.recipe
    source, target = recipe.source.steps or 1, recipe.target.steps or 1
    return replace(context, recipe=recipe.with_steps(factor * source, factor * target))


@dataclass(frozen=True, kw_only=True)
class TakesMoreSteps(Prompt):
    """And says so."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(train, dev, [with_steps(context, 3) for context in contexts])


@dataclass(frozen=True, kw_only=True)
class TakesMoreStepsInPacks(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        if len(contexts) > 1:
            super().fit_many(train, dev, [with_steps(context, 2) for context in contexts])
        return super().fit_many(train, dev, contexts)


@dataclass(frozen=True, kw_only=True)
class TriesTwiceInPacks(Prompt):
    """Two tries of the right length each, of which it could keep the better one."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        if len(contexts) > 1:
            super().fit_many(train, dev, [replace(context, seed=context.seed + 100) for context in contexts])
        return super().fit_many(train, dev, contexts)


class AdaptsLonger(FittedPrompt):
    def adapt_many(
        self, trains: Sequence[Labelled], devs: Sequence[Labelled], contexts: Sequence[Context]
    ) -> list[FittedPrompt]:
        return super().adapt_many(trains, devs, [with_steps(context, 2) for context in contexts])


def of_class(fits: Sequence[FittedPrompt], cls: type[FittedPrompt]) -> list[FittedPrompt]:
    return [cls(fitted.method, fitted.module, fitted.context, fitted.summary) for fitted in fits]


@dataclass(frozen=True, kw_only=True)
class TakesMoreStepsToAdapt(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return of_class(super().fit_many(train, dev, contexts), AdaptsLonger)


@dataclass(frozen=True, kw_only=True)
class TakesLargerBatches(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        larger = [replace(context, recipe=replace(context.recipe, batch_size=40)) for context in contexts]
        return super().fit_many(train, dev, larger)


# summary_is_true


@dataclass(frozen=True, kw_only=True)
class Summarised(Prompt):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        raise NotImplementedError

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        fits = super().fit_many(train, dev, contexts)
        for fitted in fits:
            fitted.summary = self.summary_of(fitted.summary)
        return fits


@dataclass(frozen=True, kw_only=True)
class SaysFewerSteps(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        early = tuple(point for point in summary.history if point.step <= summary.steps // 2)
        return replace(summary, steps=summary.steps // 2, history=early, selected_step=early[0].step)


@dataclass(frozen=True, kw_only=True)
class SaysHigherAccuracy(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        return replace(summary, history=tuple(replace(point, dev_accuracy=1.0) for point in summary.history))


@dataclass(frozen=True, kw_only=True)
class SelectsNothingThatWas(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        return replace(summary, selected_step=-7)


class SaysSteps(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(weights.size, 123_456)


@dataclass(frozen=True)
class SaysStepsWithoutAny(Words):
    fitted = SaysSteps


class SaysImpossible(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(weights.size, 0, 1, (DevPoint(1, 0.0, float("nan"), 3.0),))


@dataclass(frozen=True)
class SaysImpossibleAccuracy(Words):
    fitted = SaysImpossible
