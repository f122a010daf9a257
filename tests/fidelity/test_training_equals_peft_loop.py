"""A whole training against a plain loop: peft's model, transformers' Adafactor and schedule, the same batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import get_cosine_with_hard_restarts_schedule_with_warmup
from transformers.optimization import Adafactor

from tests.support.fits import DEV, TRAIN, context, copied, difference, short, tokens
from tests.support.peft_reference import encode, p_tuning, peft_names, prompt_tuning, trained_head
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE, EncodedPrompt
from xlt_bench.recipe import Order, Recipe
from xlt_bench.task import Labelled
from xlt_bench.training.order import batch_order
from xlt_bench.training.prompted import Prompted

STEPS = 20
SLOW = {"paper": {"lr": 5e-5, "weight_decay": 0.1}, "released": {"lr": 5e-5, "weight_decay": 0.01}}
FAST = {"lr": 5e-3, "weight_decay": 0.0}
WARMUP = {"paper": 0, "released": 2}
CLIP = {"paper": float("inf"), "released": 1.0}
ORDER: dict[str, Order] = {"paper": "random", "released": "length-grouped"}


def options(name: str, method: str, preset: str) -> dict[str, float]:
    """Learning rate and weight decay of a parameter by peft's name for it."""
    if name.endswith("embedding.weight") and (preset == "released" or method == "spt"):
        return FAST
    if name.endswith("bias") and preset == "released":
        return {**SLOW[preset], "weight_decay": 0.0}
    return SLOW[preset]


def groups(model: Any, method: str, preset: str, factor: float) -> list[dict[str, Any]]:
    """The paper's parameter groups, learning rates times `factor`."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    chosen = {name: options(name, method, preset) for name in trained}
    return [{"params": [trained[name]], **chosen[name], "lr": factor * chosen[name]["lr"]} for name in trained]


def batches(backbone: Backbone, preset: str, seed: int) -> Iterator[Labelled]:
    order = batch_order(tokens(backbone, TRAIN).lengths, 8, seed, ORDER[preset])
    return (TRAIN.take(index) for index in itertools.islice(order, STEPS))


def adafactor(parameters: list[dict[str, Any]]) -> Adafactor:
    return Adafactor(
        parameters,
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
        clip_threshold=1.0,
        decay_rate=-0.8,
    )


def reference_loop(
    model: Any, optimiser: Adafactor, given: Iterable[Labelled], preset: str, backbone: Backbone
) -> None:
    """What a reader of the paper would write."""
    schedule = get_cosine_with_hard_restarts_schedule_with_warmup(optimiser, WARMUP[preset], STEPS, num_cycles=2)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    for batch in given:
        loss = model(**encode(backbone, batch.examples), labels=torch.from_numpy(batch.gold)).loss
        loss.backward()
        nn.utils.clip_grad_norm_(trained, CLIP[preset])
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()


def recipe(preset: str, method: str, factor: float) -> Recipe:
    """The preset's own recipe, evaluated at its last step only, so that this step is the one kept."""
    found = short(preset, method, steps=STEPS, evaluate_every=STEPS)
    return found.with_rates(**{role: factor * found.rate(role).learning_rate for role in found.rates})


def named_like_peft(module: Prompted) -> dict[str, Tensor]:
    state = copied(module.prompt)
    renamed = peft_names(state) if isinstance(module.prompt, EncodedPrompt) else {"embedding.weight": state["weight"]}
    return {**renamed, **copied(module.head)}


def of_peft(model: Any) -> dict[str, Tensor]:
    return {**copied(model.prompt_encoder["default"]), **copied(trained_head(model))}


@pytest.mark.parametrize("factor", [1.0, 10.0], ids=["rates-of-the-preset", "rates-times-10"])
@pytest.mark.parametrize("preset", ["paper", "released"])
@pytest.mark.parametrize("name", ["xpe", "spt"])
def test_a_whole_fit_equals_the_plain_loop(name: str, preset: str, factor: float, tiny_backbone: Backbone) -> None:
    method = XPE(dropout=0.0) if name == "xpe" else SPT()
    given = context(tiny_backbone, recipe(preset, name, factor), seed=4)
    module = method.new_module(given)
    start = named_like_peft(module)
    prompt = module.prompt
    if isinstance(prompt, EncodedPrompt):
        model = p_tuning(tiny_backbone, module.head, prompt)
    else:
        model = prompt_tuning(tiny_backbone, module.head, prompt())
    optimiser = adafactor(groups(model, name, preset, factor))
    reference_loop(model, optimiser, batches(tiny_backbone, preset, seed=4), preset, tiny_backbone)
    fitted = method.fit(TRAIN, DEV, given)
    assert fitted.summary.selected_step == STEPS
    end = named_like_peft(fitted.module)
    assert difference(end, of_peft(model)) < 1e-5
    assert difference(end, start) > 100 * 1e-5, "training must have moved the parameters much further than that"
