"""The learning-rate curve: transformers' scheduler driven on its own, and the closed form, step by step."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from transformers import (
    TrainingArguments,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from tests.support.fits import short
from xlt_bench.recipe import PRESETS, Phase, Recipe
from xlt_bench.training.optimisation import cosine_factor, linear_factor, make_optimiser, make_schedule

GROUPS = ("prompt", "pseudo", "encoder", "head")


def roles() -> dict[str, list[nn.Parameter]]:
    return {role: [nn.Parameter(torch.ones(2, 2))] for role in GROUPS}


def curve(optimiser: torch.optim.Optimizer, schedule: Any, steps: int) -> list[list[float]]:
    """The rate of each group that each step is taken with."""
    rates = []
    for _ in range(steps):
        rates.append([group["lr"] for group in optimiser.param_groups])
        optimiser.step()
        schedule.step()
    return rates


def ours(recipe: Recipe, phase: Phase, steps: int) -> list[list[float]]:
    optimiser = make_optimiser(roles(), recipe)
    return curve(optimiser, make_schedule(optimiser, recipe, phase, steps), steps)


def closed_form(rate: float, step: int, steps: int, warmup: int) -> float:
    """Two cosine cycles from the full rate to zero, after a linear rise from zero."""
    if step < warmup:
        return rate * step / warmup
    progress = (step - warmup) / (steps - warmup)
    return rate * 0.5 * (1 + math.cos(math.pi * (2 * progress % 1)))


def phases(preset: str) -> dict[str, tuple[Phase, int, int]]:
    """Budget, steps and warm-up steps as the paper or its code has them."""
    base = PRESETS[preset].recipe
    warmup = {"paper": (0, 0), "released": (2400, 300)}[preset]
    return {"source": (base.source, 24_000, warmup[0]), "target": (base.target, 6_000, warmup[1])}


@pytest.mark.parametrize("phase_name", ["source", "target"])
@pytest.mark.parametrize("preset", ["paper", "released"])
def test_rates_are_those_of_transformers_and_of_the_closed_form(preset: str, phase_name: str) -> None:
    phase, steps, warmup = phases(preset)[phase_name]
    assert phase.total_steps(items=701, batch_size=32) == steps
    base = {"prompt": 5e-3, "pseudo": 5e-5 if preset == "paper" else 5e-3, "encoder": 5e-5, "head": 5e-5}
    found = ours(PRESETS[preset].recipe, phase, steps)
    sgd = torch.optim.SGD([{"params": group, "lr": base[role]} for role, group in roles().items()])
    scheduler = get_cosine_with_hard_restarts_schedule_with_warmup(sgd, warmup, steps, num_cycles=2)
    assert found == curve(sgd, scheduler, steps)
    expected = [[closed_form(base[role], step, steps, warmup) for role in GROUPS] for step in range(steps)]
    assert_allclose(found, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 1), (0, 7), (1, 3), (3, 24), (30, 30), (50, 1001)])
def test_factors_are_those_of_transformers_to_the_last_bit(warmup: int, steps: int) -> None:
    one = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    linear = get_linear_schedule_with_warmup(one, warmup, steps).lr_lambdas[0]
    after = range(steps + 3)  # a schedule may be asked once more than there are steps
    assert [linear_factor(step, warmup, steps) for step in after] == [linear(step) for step in after]
    for cycles in (1, 2, 3):
        cosine = get_cosine_with_hard_restarts_schedule_with_warmup(one, warmup, steps, cycles).lr_lambdas[0]
        assert [cosine_factor(step, warmup, steps, cycles) for step in after] == [cosine(step) for step in after]


def test_the_second_cycle_restarts_at_the_full_rate() -> None:
    rates = [rate for rate, *_ in ours(short(), short().source, 100)]
    assert rates[0] == rates[50] == 5e-3
    assert max(rates[49], rates[99]) < 1e-4 * 5e-3 * 25


@pytest.mark.parametrize("steps", [1, 3, 24, 55, 105, 1001])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.1])
def test_warm_up_lasts_as_long_as_in_the_transformers_trainer(share: float, steps: int) -> None:
    recipe = short("released")
    rates = [rate for rate, *_ in ours(recipe, Phase(steps, warmup=share), steps)]
    expected = TrainingArguments.get_warmup_steps(SimpleNamespace(warmup_steps=share), steps)  # type: ignore[arg-type]
    rising = next((at for at, rate in enumerate(rates) if rate == 5e-3), steps)
    assert rising == min(expected, steps)
