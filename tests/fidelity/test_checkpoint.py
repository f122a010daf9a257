"""Which checkpoint is kept, and that its parameters are those of that step."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.fits import DEV, TRAIN, context, copied, labelled, loud, same
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.method import DevPoint, Silent
from xlt_bench.methods.spt import SPT
from xlt_bench.methods.xpe import XPE
from xlt_bench.task import Labelled
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

NOISE = dataclasses.replace(labelled(16, 9), gold=np.random.default_rng(9).integers(7, size=16))
"""Dev items whose labels follow no rule: accuracy goes up and down, with ties."""


class Snapshots(Silent):
    """A Progress that keeps the module's parameters at every evaluation of the dev split."""

    def __init__(self) -> None:
        self.module: nn.Module | None = None
        self.states: dict[int, dict[str, Tensor]] = {}

    def evaluated(self, seed: int, steps: int, dev_accuracy: float) -> None:
        """Keep the parameters of this step."""
        assert self.module is not None
        self.states[steps] = copied(self.module)


def fitted_with_snapshots(
    method: SoftPrompt, seed: int, backbone: Backbone, **changes: Any
) -> tuple[FittedPrompt, Snapshots]:
    snapshots = Snapshots()
    given = context(backbone, loud(steps=40, evaluate_every=2, **changes), seed, snapshots)
    module = snapshots.module = method.new_module(given)
    (fitted,) = method.train_modules([module], TRAIN, NOISE, [given], given.recipe.source)
    return fitted, snapshots


def first_best(history: tuple[DevPoint, ...]) -> DevPoint:
    best = max(point.dev_accuracy for point in history)
    return next(point for point in history if point.dev_accuracy == best)


@pytest.mark.parametrize("method", [SPT(), XPE()], ids=lambda m: type(m).__name__)
def test_the_earliest_of_the_best_on_dev_is_kept_with_its_parameters(
    method: SoftPrompt, tiny_backbone: Backbone
) -> None:
    told = 0
    for seed in range(4):
        fitted, snapshots = fitted_with_snapshots(method, seed, tiny_backbone)
        history, chosen = fitted.summary.history, fitted.summary.selected_step
        assert chosen == first_best(history).step
        assert same(copied(fitted.module), snapshots.states[chosen])
        ties = sum(point.dev_accuracy == first_best(history).dev_accuracy for point in history)
        told += ties > 1 and 2 < chosen < 40
    assert told, "at least one seed must have a tie and a best step that is neither the first nor the last"


def test_the_last_is_kept_where_the_recipe_says_so(tiny_backbone: Backbone) -> None:
    fitted, snapshots = fitted_with_snapshots(SPT(), 1, tiny_backbone, checkpoint="last")
    history = fitted.summary.history
    assert first_best(history).step < 40, "or the best one would be the last"
    assert (fitted.summary.steps, fitted.summary.selected_step) == (40, None), "dev selected nothing"
    assert same(copied(fitted.module), snapshots.states[40])


def test_the_history_tells_dev_accuracy_and_loss_of_the_checkpoint(tiny_backbone: Backbone) -> None:
    fitted, _ = fitted_with_snapshots(XPE(), 1, tiny_backbone)
    logits, gold = torch.from_numpy(fitted.predict(NOISE.examples)), torch.from_numpy(NOISE.gold)
    chosen = first_best(fitted.summary.history)
    assert chosen.dev_accuracy == pytest.approx(float((logits.argmax(1) == gold).float().mean()))
    assert chosen.dev_loss == pytest.approx(float(nn.functional.cross_entropy(logits, gold)), abs=1e-5)


def evaluations(train: Labelled, every: int | None, steps: int, backbone: Backbone) -> list[int]:
    recipe = loud(steps=steps, evaluate_every=every)
    return [point.step for point in SPT().fit(train, DEV, context(backbone, recipe)).summary.history]


def test_dev_is_evaluated_each_epoch_and_at_the_end(tiny_backbone: Backbone) -> None:
    assert len(TRAIN) == 60, "8 batches of 8, the last one smaller"
    assert evaluations(TRAIN, None, 20, tiny_backbone) == [8, 16, 20]
    assert evaluations(TRAIN, 6, 20, tiny_backbone) == [6, 12, 18, 20]
