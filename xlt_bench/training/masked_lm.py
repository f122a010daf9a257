"""Fits on the unlabelled text of one language by masked language modelling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import DivergedError, MethodError
from xlt_bench.method import Activity, Context, LanguageSummary
from xlt_bench.recipe import LANGUAGE_ROLE, Phase
from xlt_bench.resources import Text
from xlt_bench.task import Example
from xlt_bench.training.data import text_limit, tokenise
from xlt_bench.training.masking import MaskedTexts, Masking, guessing_loss
from xlt_bench.training.optimisation import make_optimiser, make_schedule
from xlt_bench.training.order import batch_order
from xlt_bench.training.seeding import RandomStream

_HELD_OUT_SHARE = 0.05
_EVALUATIONS = 10
_EVALUATION_BATCH = 32
_CLIP_NORM = 1.0
"""As transformers' Trainer has it by default, whose AdamW and linear schedule are used too: in it language adapters and
sparse differences were published."""


@dataclass(frozen=True)
class MaskedLm:
    """An encoder that learns to guess hidden words.

    Attributes:
        encoder: all of it frozen but `parameters`.
        parameters: what is trained.
        output: what happens before the head's last layer, see `LmHead`.
        penalty: a further term of the loss, a scalar; None: none.
        positions: that the encoder takes from the texts.
    """

    encoder: nn.Module
    parameters: Sequence[nn.Parameter]
    output: Callable[[Tensor], Tensor] | None = None
    penalty: Callable[[], Tensor] | None = None
    positions: int = 0


def language_phase(context: Context) -> Phase:
    """The budget of a language's fit.

    Raises:
        MethodError: the method's recipe has none.
    """
    phase = context.recipe.language
    if phase is None or phase.steps is None:
        raise MethodError("the recipe has no steps for the fit of a language; set its `language` in recipe_for")
    return phase


class HeldOut:
    """The last texts, with masks that are drawn once: what selects the weights."""

    def __init__(self, backbone: Backbone, texts: Tokenised, first: int, seed: int) -> None:
        masking, generator = Masking(backbone.tokenizer), torch.Generator().manual_seed(seed + 1)
        rows = range(first, len(texts))
        self._backbone = backbone
        parts = [rows[start : start + _EVALUATION_BATCH] for start in range(0, len(rows), _EVALUATION_BATCH)]
        self._batches = [masking(texts.batch(part), generator) for part in parts]

    @torch.no_grad()
    def loss(self, model: MaskedLm) -> float:
        """Mean loss of a chosen token, in nats, without dropout; NaN where the texts are too short to have one."""
        model.encoder.eval()
        losses = [guessing_loss(self._backbone, model.encoder, part, model.output) for part in self._batches]
        chosen = sum(int(part.chosen.sum()) for part in self._batches)
        return float(torch.stack(losses).sum()) / chosen if chosen else math.nan


def fit_masked_lm(
    model: MaskedLm, language: str, texts: Sequence[Text], context: Context, phase: Phase, loss_before: float | None
) -> LanguageSummary:
    """Train on the texts in place; the weights are in the end those of the lowest loss on the last 5% of the texts.

    Args:
        model: what is trained; without any parameters its loss alone is measured.
        language: code of the texts' language.
        texts: in an order that tells nothing.
        context: of the fit; masks, order and dropout follow from its seed.
        phase: the budget.
        loss_before: on the held-out texts, where the start of the training is not what it is measured against.

    Raises:
        MethodError: less than two texts.
        DivergedError: the loss is no longer finite.
    """
    tokens, first_held_out = _split(language, texts, context, model.positions)
    held_out = HeldOut(context.backbone, tokens, first_held_out, context.seed)
    start_loss = held_out.loss(model) if loss_before is None else loss_before
    if not model.parameters:
        return LanguageSummary(len(texts), len(texts) - first_held_out, 0, 0, start_loss, start_loss, 0)
    steps = phase.total_steps(first_held_out, context.recipe.batch_size)
    training = _Training(model, tokens, first_held_out, context, phase, steps)
    interval, lowest_loss, weights, selected_step = -(-steps // _EVALUATIONS), math.inf, _copies(model), 0
    for step in range(1, steps + 1):
        training.step()
        if step % interval and step < steps:
            continue
        context.progress.activity(Activity("training", f"language {language}", step, steps, "step"))
        loss = held_out.loss(model)
        if not math.isfinite(loss) and math.isfinite(start_loss):
            raise DivergedError(
                f"the loss of language {language} became {loss} at step {step}; try a lower rate for it"
            )
        if loss < lowest_loss or not math.isfinite(start_loss):  # without anything to guess the last weights are kept
            lowest_loss, weights, selected_step = loss, _copies(model), step
    for parameter, value in zip(model.parameters, weights, strict=True):
        parameter.data.copy_(value)
    model.encoder.eval()
    return LanguageSummary(
        texts=len(texts),
        held_out=len(texts) - first_held_out,
        steps=steps,
        selected_step=selected_step,
        loss_before=start_loss,
        loss_after=lowest_loss,
        trained_parameters=sum(parameter.numel() for parameter in model.parameters),
    )


def frozen_loss(
    encoder: nn.Module, language: str, texts: Sequence[Text], context: Context, positions: int = 0
) -> float:
    """Loss of the encoder as it is on the texts that `fit_masked_lm` holds out, under the same masks.

    Args:
        positions: those of the model that is to be fitted, so that its texts are cut alike.
    """
    tokens, first_held_out = _split(language, texts, context, positions)
    return HeldOut(context.backbone, tokens, first_held_out, context.seed).loss(MaskedLm(encoder, ()))


def _split(language: str, texts: Sequence[Text], context: Context, positions: int) -> tuple[Tokenised, int]:
    """The texts as tokens, and how many of them are trained on."""
    if len(texts) < 2:
        raise MethodError(
            f"language {language} has {len(texts)} unlabelled texts, and its fit needs two or more, one of them held "
            "out; give more text (--resource unlabelled-folder=FOLDER) or leave the language out"
        )
    examples = [Example("", language, text.text, text.text_pair) for text in texts]
    limit = text_limit(context.backbone, context.recipe, positions)
    tokens = tokenise(examples, context.backbone, context.recipe, limit)
    return tokens, len(texts) - max(1, round(_HELD_OUT_SHARE * len(texts)))


class _Training:
    """Optimiser, order and randomness of a fit."""

    def __init__(
        self, model: MaskedLm, tokens: Tokenised, items: int, context: Context, phase: Phase, steps: int
    ) -> None:
        recipe = replace(context.recipe, optimiser="adamw", schedule="linear")
        self._model, self._tokens, self._backbone = model, tokens, context.backbone
        self._optimiser = make_optimiser({LANGUAGE_ROLE: model.parameters}, recipe)
        self._schedule = make_schedule(self._optimiser, recipe, phase, steps)
        self._order = batch_order(tokens.lengths[:items], recipe.batch_size, context.seed)
        self._masking = Masking(context.backbone.tokenizer)
        self._generator = torch.Generator().manual_seed(context.seed)
        self._random = RandomStream(context.seed, context.backbone.device)

    def step(self) -> None:
        """One optimiser step on the next batch."""
        self._model.encoder.train()
        masked = self._masking(self._tokens.batch(next(self._order)), self._generator)
        with self._random:
            self._loss(masked).backward()
        nn.utils.clip_grad_norm_(self._model.parameters, _CLIP_NORM)
        self._optimiser.step()
        self._schedule.step()
        self._optimiser.zero_grad()

    def _loss(self, masked: MaskedTexts) -> Tensor:
        loss = guessing_loss(self._backbone, self._model.encoder, masked, self._model.output)
        loss = loss / max(int(masked.chosen.sum()), 1)
        return loss if self._model.penalty is None else loss + self._model.penalty()


def _copies(model: MaskedLm) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters]
