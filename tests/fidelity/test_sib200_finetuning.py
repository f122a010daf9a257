"""Preset `sib200` against a plain loop in the manner of SIB-200's script: two half batches a step, the last weights."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from transformers import get_linear_schedule_with_warmup

from tests.support.fits import DEV, context, copied, difference, labelled, short, tokens
from tests.support.peft_reference import classifier, encode
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.full_finetuning import FullFinetuning
from xlt_bench.recipe import Rate
from xlt_bench.training.order import batch_order

TRAIN = labelled(56, 1)
"""Seven whole batches of 8, so that both halves of every step have 4 items."""
EPOCHS = 3
STEPS = EPOCHS * 7
RATE = 1e-4


def state(*modules: Any) -> dict[str, Tensor]:
    """All parameters except the biases of attention keys.

    Softmax takes these out again, so that their gradient is rounding alone, which AdamW brings to the full rate.
    """
    states = (copied(module) for module in modules)
    return {name: value for part in states for name, value in part.items() if not name.endswith("key.bias")}


def test_a_fit_equals_the_plain_loop_with_accumulated_halves_and_ends_with_its_last_weights(
    tiny_backbone: Backbone,
) -> None:
    preset = short("sib200", "full-finetuning")
    source = dataclasses.replace(preset.source, steps=None, epochs=EPOCHS)
    recipe = dataclasses.replace(preset, source=source, rates={"backbone": Rate(RATE), "head": Rate(RATE)})
    given = context(tiny_backbone, recipe, seed=4)
    method = FullFinetuning()
    start = method._new(given)
    model = classifier(tiny_backbone, start.head).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimiser, 0, STEPS)
    for index in islice(batch_order(tokens(tiny_backbone, TRAIN).lengths, 8, 4), STEPS):
        for half in (index[:4], index[4:]):
            items = TRAIN.take(half)
            output = model(**encode(tiny_backbone, items.examples), labels=torch.from_numpy(items.gold))
            (output.loss / 2).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    fitted: Any = method.fit(TRAIN, DEV, given)
    assert (fitted.summary.steps, fitted.summary.selected_step) == (STEPS, None), "dev selects nothing"
    encoder = fitted.module.encoder
    trained = state(model.roberta.embeddings, model.roberta.encoder, model.classifier)
    assert difference(state(encoder.embeddings, encoder.encoder, fitted.module.head), trained) < 1e-6
    assert difference(copied(fitted.module.head), copied(start.head)) > 100 * 1e-6
