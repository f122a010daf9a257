"""A whole training against a plain loop written from the paper: peft's p-tuning, transformers' Adafactor and schedule."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import torch
from peft_reference import encode, p_tuning, peft_names, prompt_tuning, trained_head
from tiny import DEV, TRAIN, context, copied, difference, prompted, short, tokens
from torch import Tensor, nn
from transformers import get_cosine_with_hard_restarts_schedule_with_warmup
from transformers.optimization import Adafactor

from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE, EncodedPrompt
from xlt_bench.recipe import Recipe
from xlt_bench.task import Labelled
from xlt_bench.training.backbone import Backbone
from xlt_bench.training.batches import batch_order
from xlt_bench.training.soft_prompt import Prompted

STEPS = 20
SLOW = {"paper": {"lr": 5e-5, "weight_decay": 0.1}, "released": {"lr": 5e-5, "weight_decay": 0.01}}
FAST = {"lr": 5e-3, "weight_decay": 0.0}
WARMUP, CLIP, BY_LENGTH = (
    {"paper": 0, "released": 2},
    {"paper": None, "released": 1.0},
    {"paper": False, "released": True},
)


def groups(model: Any, preset: str, factor: float) -> list[dict[str, Any]]:
    """The paper's parameter groups by peft's names; learning rates times `factor`."""
    slow, bias, fast = SLOW[preset], {**SLOW[preset]}, FAST
    if preset == "released":
        bias["weight_decay"] = 0.0
    found = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_pseudo = name.endswith("embedding.weight")
        fast_prompt = is_pseudo and (preset == "released" or not hasattr(model.prompt_encoder["default"], "mlp_head"))
        options = fast if fast_prompt else bias if name.endswith("bias") else slow
        found.append({"params": [parameter], **options, "lr": factor * options["lr"]})
    return found


def batches(backbone: Backbone, preset: str, seed: int) -> Iterator[Labelled]:
    order = batch_order(tokens(backbone, TRAIN).lengths, 8, seed, BY_LENGTH[preset])
    return (TRAIN.take(index) for index in itertools.islice(order, STEPS))


def reference_loop(model: Any, given: Iterable[Labelled], preset: str, factor: float, backbone: Backbone) -> None:
    """What a reader of the paper would write."""
    optimiser = Adafactor(
        groups(model, preset, factor),
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
        clip_threshold=1.0,
        decay_rate=-0.8,
    )
    schedule = get_cosine_with_hard_restarts_schedule_with_warmup(optimiser, WARMUP[preset], STEPS, num_cycles=2)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    for batch in given:
        loss = model(**encode(backbone, batch.examples), labels=torch.from_numpy(batch.gold)).loss
        loss.backward()
        if CLIP[preset]:
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


@pytest.mark.parametrize("factor", [1.0, 30.0], ids=["rates-of-the-preset", "rates-times-30"])
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
    reference_loop(model, batches(tiny_backbone, preset, seed=4), preset, factor, tiny_backbone)
    fitted = method.fit(TRAIN, DEV, given)
    assert fitted.summary.selected_step == STEPS
    end = named_like_peft(prompted(fitted.module))
    assert difference(end, of_peft(model)) < 1e-5
    assert difference(end, start) > 100 * 1e-5, "training must have moved the parameters much further than that"
