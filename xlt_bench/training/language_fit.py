"""Fits on the unlabelled text of one language by masked language modelling."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import MethodError
from xlt_bench.method import Context, LanguageSummary
from xlt_bench.recipe import Phase
from xlt_bench.resources import Text
from xlt_bench.task import Example
from xlt_bench.training.checkpointing import resumable
from xlt_bench.training.data import text_limit, tokenise
from xlt_bench.training.language_training import LanguageTraining
from xlt_bench.training.masked_lm import HeldOut, MaskedLm

_HELD_OUT_SHARE = 0.05


def language_phase(context: Context) -> Phase:
    """The budget of a language's fit.

    Raises:
        MethodError: the method's recipe has none.
    """
    phase = context.recipe.language
    if phase is None or phase.steps is None:
        raise MethodError("the recipe has no steps for the fit of a language; set its `language` in recipe_for")
    return phase


def fit_masked_lm(
    model: MaskedLm, language: str, texts: Sequence[Text], context: Context, phase: Phase, loss_before: float | None
) -> LanguageSummary:
    """Train on the texts in place; the weights are in the end those of the lowest loss on the last 5% of the texts.

    Where the context has checkpoints, it goes on from its own.

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
        Stopped: a scheduler asked the process to leave, and the training is kept.
    """
    tokens, first_held_out = _split(language, texts, context, model.positions)
    held_out = HeldOut(context.backbone, tokens, first_held_out, context.seed)
    start_loss = held_out.loss(model) if loss_before is None else loss_before
    if not model.parameters:
        return LanguageSummary(len(texts), len(texts) - first_held_out, 0, 0, start_loss, start_loss, 0)
    training = LanguageTraining(model, language, tokens, first_held_out, held_out, context, phase, start_loss)
    with resumable([training]) as keep:
        while not training.finished:
            if not training.due:  # it may have been cut off between a step and its evaluation
                training.step()
            evaluated = training.due
            if evaluated:
                training.evaluate()
            keep(evaluated)
    training.close()
    return LanguageSummary(
        texts=len(texts),
        held_out=len(texts) - first_held_out,
        steps=training.progress[1],
        selected_step=training.selected_step,
        loss_before=start_loss,
        loss_after=training.lowest_loss,
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
