"""Which parameters torch's optimisers trained, seen through torch's own hooks for every optimiser's step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from xlt_bench.runs.torch_hooks import TorchHooks


class OptimiserWatch(TorchHooks):
    """Within its `with`, takes note of every parameter that has a gradient when an optimiser steps, and of its values.

    Meant for fits of a few steps of a tiny model: every value is kept.
    """

    def __init__(self) -> None:
        self._trained: dict[int, Trained] = {}

    def register(self) -> tuple[RemovableHandle, ...]:
        """Of what comes before and after a step."""
        return (
            register_optimizer_step_pre_hook(self._before),
            register_optimizer_step_post_hook(self._after),
        )

    @property
    def trained(self) -> list[Trained]:
        """Trained parameters, each once."""
        return list(self._trained.values())

    def _before(self, optimiser: torch.optim.Optimizer, *unused: Any) -> None:
        for parameter in _stepped(optimiser):
            self._trained.setdefault(id(parameter), Trained(parameter, _copy(parameter)))

    def _after(self, optimiser: torch.optim.Optimizer, *unused: Any) -> None:
        for parameter in _stepped(optimiser):
            trained = self._trained.get(id(parameter))
            if trained is not None:
                trained.later.append(_copy(parameter))


@dataclass
class Trained:
    """A parameter, its values before the first step, and those after every step, flat and float32."""

    parameter: Tensor
    first: Tensor
    later: list[Tensor] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether any step changed it."""
        return any(not torch.equal(self.first, value) for value in self.later)

    def had(self, tensor: Tensor) -> bool:
        """Whether these were its values after one of the steps, of which dev selects one."""
        flat = tensor.flatten().float()
        return any(torch.equal(flat, value) for value in self.later if not torch.equal(value, self.first))


def _stepped(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]


def _copy(parameter: Tensor) -> Tensor:
    return parameter.detach().cpu().flatten().float().clone()
