"""When a fit ends: transformers' EarlyStoppingCallback, started after the first cosine cycle."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from transformers import EarlyStoppingCallback, TrainerControl, TrainerState

from tests.support.fits import DEV, NO_DATA, TRAIN, context, loud, short
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.methods.spt import SPT
from xlt_bench.recipe import Phase, Recipe, preset_recipe
from xlt_bench.training.lane import Lane

EVERY = 10
EPOCH = 154
"""Steps of an epoch on joshi5: 7 languages of 701 items, batches of 32."""


def lane(recipe: Recipe, phase: Phase, backbone: Backbone) -> Lane:
    """A lane that learns nothing: evaluations are handed to it."""
    module = nn.Linear(1, 1)
    return Lane(module, {"head": module.parameters()}, context(backbone, recipe), recipe, phase, NO_DATA, iter(()))


def last_step(losses: Sequence[float], steps: int, patience: int | None, backbone: Backbone, every: int = EVERY) -> int:
    """The step after which the library's lane ends."""
    recipe = short(steps=steps)
    fit = lane(recipe, Phase(steps, patience=patience), backbone)
    for number, loss in enumerate(losses, 1):
        fit.step = number * every
        fit.evaluated(loss, dev_accuracy=0.5)
        if fit.finished:
            break
    return fit.step


def last_step_of_transformers(losses: Sequence[float], steps: int, patience: int) -> int:
    """The step after which the Trainer would stop, its callback called from half the steps on.

    As in the authors' callback, which has a best loss of its own, the losses before are no best metric.
    """
    callback, state, control = EarlyStoppingCallback(patience), TrainerState(), TrainerControl()
    arguments = SimpleNamespace(metric_for_best_model="eval_loss", greater_is_better=False)
    for number, loss in enumerate(losses, 1):
        if number * EVERY < steps // 2:
            continue
        callback.on_evaluate(arguments, state, control, {"eval_loss": loss})
        if state.best_metric is None or loss < state.best_metric:
            state.best_metric = loss
        if control.should_training_stop:
            return number * EVERY
    return len(losses) * EVERY


def random_losses(seed: int, count: int) -> list[float]:
    """Losses that fall, then rise, with ties: rounded to two digits."""
    random = np.random.default_rng(seed)
    valley = np.abs(np.linspace(-1, 1, count) - random.uniform(-1, 1)) * random.uniform(0, 2)
    return [float(loss) for loss in np.round(valley + 0.2 * random.standard_normal(count) + 1, 2)]


@pytest.mark.parametrize("patience", [1, 3, 20])
def test_a_fit_ends_where_the_callback_of_transformers_ends_it(patience: int, tiny_backbone: Backbone) -> None:
    ends = set()
    for seed in range(40):
        losses = random_losses(seed, count=60)
        expected = last_step_of_transformers(losses, 600, patience)
        assert last_step(losses, 600, patience, tiny_backbone) == expected
        ends.add(expected)
    assert len(ends) > 2, "some sequences must stop early, at different steps"


def test_nothing_stops_before_the_first_cycle_is_over(tiny_backbone: Backbone) -> None:
    rising = [1.0 + 0.1 * at for at in range(60)]
    assert last_step(rising, 600, 1, tiny_backbone) == 310
    assert last_step(rising, 600, 5, tiny_backbone) == 350


def test_a_lower_loss_starts_the_patience_anew(tiny_backbone: Backbone) -> None:
    losses = [1.0] * 31 + [0.9] + [0.95] * 28
    assert last_step(losses, 600, 3, tiny_backbone) == 350


def test_a_second_cycle_that_falls_is_trained_to_its_end_though_it_stays_above_the_first(
    tiny_backbone: Backbone,
) -> None:
    """24,000 steps on joshi5: an epoch has 154, and 19 epochs after the first counted one are 14,938."""
    epochs = 24_000 // EPOCH
    first = [2.0 - 1.5 * epoch / (epochs // 2) for epoch in range(epochs // 2)]
    second = [1.9 - 1.0 * epoch / (epochs // 2) for epoch in range(epochs - epochs // 2)]
    assert min(first) < min(second)
    assert last_step(first + second, 24_000, 20, tiny_backbone, EPOCH) == epochs * EPOCH
    flat = first + [1.9] * len(second)
    assert last_step(flat, 24_000, 20, tiny_backbone, EPOCH) == (78 + 20) * EPOCH


@pytest.mark.parametrize(("phase", "patience"), [("source", 20), ("target", 30)])
def test_patience_of_the_presets(phase: str, patience: int, tiny_backbone: Backbone) -> None:
    """`patience` evaluations, once an epoch each, from the middle of the budget on."""
    recipe = preset_recipe("paper")
    chosen: Phase = getattr(recipe, phase)
    found = lane(recipe, chosen, tiny_backbone)
    epoch, evaluations = found.total // 100, 0
    while not found.finished:
        found.step += epoch
        evaluations += 1
        found.evaluated(1.0 + evaluations, dev_accuracy=0.5)
    assert evaluations == 50 + patience, "the evaluation at half the steps is the first that counts: the mark to beat"


def test_without_patience_nothing_stops(tiny_backbone: Backbone) -> None:
    assert last_step([1.0 + number for number in range(60)], 600, None, tiny_backbone) == 600


def test_a_whole_fit_stops_early_and_says_so(tiny_backbone: Backbone) -> None:
    still = dataclasses.replace(loud(steps=40), source=Phase(40, patience=2), evaluate_every=4)
    frozen = still.with_rates(prompt=0.0, head=0.0)
    frozen = dataclasses.replace(
        frozen, rates={role: dataclasses.replace(r, weight_decay=0.0) for role, r in frozen.rates.items()}
    )
    summary = SPT().fit(TRAIN, DEV, context(tiny_backbone, frozen)).summary
    assert [point.step for point in summary.history] == [4, 8, 12, 16, 20, 24, 28]
    assert (summary.steps, summary.selected_step) == (28, 4)
    assert torch.tensor([point.dev_loss for point in summary.history]).unique().numel() == 1
