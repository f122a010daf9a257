"""Optimiser, schedule and early stopping, set up as a Recipe says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from transformers.optimization import (
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from xlt_bench.recipe import Phase, Recipe
from xlt_bench.training.adafactor import Adafactor, Together

Roles = Mapping[str, Iterable[nn.Parameter]]
"""Trained parameters by the role that decides their learning rate and weight decay (see Recipe.rates)."""


def parameter_groups(roles: Roles, recipe: Recipe) -> list[dict[str, Any]]:
    """One optimiser group a role; where biases are not decayed, vectors (biases, norms) form a group of their own."""
    groups = []
    for role, parameters in roles.items():
        rate, kept = recipe.rate(role), list(parameters)
        decayed = [p for p in kept if recipe.decay_biases or p.ndim > 1]
        exempt = [p for p in kept if not recipe.decay_biases and p.ndim <= 1]
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
    schedule: LRScheduler
    if recipe.schedule == "linear":
        schedule = get_linear_schedule_with_warmup(optimiser, warmup, steps)
    else:
        schedule = get_cosine_with_hard_restarts_schedule_with_warmup(
            optimiser, warmup, steps, num_cycles=recipe.cycles
        )
    return schedule


@dataclass
class EarlyStopping:
    """Stop after `patience` evaluations without a lower dev loss, counted only from step `start` on.

    The rule of Hugging Face's EarlyStoppingCallback (threshold 0); the paper applies it after the first cosine cycle.
    """

    patience: int
    start: int
    best: float = float("inf")
    waited: int = 0

    def stops(self, step: int, dev_loss: float) -> bool:
        """Take note of an evaluation; True when the fit should end."""
        lower = dev_loss < self.best
        self.best = min(self.best, dev_loss)
        if step < self.start:
            return False
        self.waited = 0 if lower else self.waited + 1
        return self.waited >= self.patience
