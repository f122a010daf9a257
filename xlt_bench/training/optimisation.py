"""Optimiser, schedule and early stopping, set up as a Recipe says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from xlt_bench.recipe import Phase, Recipe
from xlt_bench.training.adafactor import Adafactor, Together

Roles = Mapping[str, Iterable[nn.Parameter]]
"""Trained parameters by the role that decides their learning rate and weight decay (see Recipe.rates)."""


def parameter_groups(roles: Roles, recipe: Recipe) -> list[dict[str, Any]]:
    """One optimiser group a role; where biases are not decayed, vectors (biases, norms) form a group of their own."""
    groups = []
    for role, parameters in roles.items():
        rate, members = recipe.rate(role), list(parameters)
        decayed = [p for p in members if recipe.decay_biases or p.ndim > 1]
        exempt = [p for p in members if not recipe.decay_biases and p.ndim <= 1]
        for part, decay in ((decayed, rate.weight_decay), (exempt, 0.0)):
            if part:
                groups.append({"params": part, "lr": rate.learning_rate, "weight_decay": decay})
    return groups


def make_optimiser(roles: Roles, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over these parameters."""
    groups = parameter_groups(roles, recipe)
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups)
    return Adafactor(groups)


def step_together(optimisers: Sequence[torch.optim.Optimizer], together: Together) -> None:
    """Step the optimisers of several lanes; those that can, in operations over all of them."""
    together.prepare([optimiser for optimiser in optimisers if isinstance(optimiser, Adafactor)])
    for optimiser in optimisers:
        optimiser.step()


def make_schedule(optimiser: torch.optim.Optimizer, recipe: Recipe, phase: Phase, steps: int) -> LRScheduler:
    """The recipe's learning-rate curve over this many steps."""
    warmup = math.ceil(phase.warmup * steps)  # rounded up, as transformers' Trainer does
    if recipe.schedule == "linear":
        return LambdaLR(optimiser, lambda step: linear_factor(step, warmup, steps))
    return LambdaLR(optimiser, lambda step: cosine_factor(step, warmup, steps, recipe.cycles))


def linear_factor(step: int, warmup: int, steps: int) -> float:
    """Factor on the learning rate: up from 0 to 1 during the warm-up, then down to 0 in a straight line.

    As transformers.get_linear_schedule_with_warmup computes it, in the same order of operations; likewise below. They
    are written out here because importing them there brings in the whole stack of the Trainer.
    """
    if step < warmup:
        return float(step) / float(max(1, warmup))
    return max(0.0, float(steps - step) / float(max(1, steps - warmup)))


def cosine_factor(step: int, warmup: int, steps: int, cycles: int) -> float:
    """Up during the warm-up, then half cosines from 1 to 0, each starting at 1 again (Loshchilov & Hutter, 2017)."""
    if step < warmup:
        return float(step) / float(max(1, warmup))
    progress = float(step - warmup) / float(max(1, steps - warmup))
    if progress >= 1.0:
        return 0.0
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * ((float(cycles) * progress) % 1.0))))


@dataclass
class EarlyStopping:
    """Stop after `patience` evaluations without a lower dev loss; evaluations before step `start` do not exist for it.

    The rule of Hugging Face's EarlyStoppingCallback (threshold 0), which the paper's authors call from half the steps
    on. So the second cosine cycle is measured against itself: the lowest loss of the first is no mark to beat.
    """

    patience: int | None
    start: int
    best: float = float("inf")
    waited: int = 0

    def stops(self, step: int, dev_loss: float) -> bool:
        """Take note of an evaluation; True when the fit should end."""
        if self.patience is None or step < self.start:
            return False
        self.waited = 0 if dev_loss < self.best else self.waited + 1
        self.best = min(self.best, dev_loss)
        return self.waited >= self.patience
