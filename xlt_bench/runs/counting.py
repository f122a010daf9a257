"""How much a method trains and reads, counted from outside through torch's own hooks for every optimiser and module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.hooks import RemovableHandle

from xlt_bench.runs.torch_hooks import TorchHooks

_BACKBONES = ("transformers.modeling_utils.PreTrainedModel", "xlt_bench.backbones.lean.layers.LeanLayers")
"""Classes whose call is a pass through a backbone, by name: a method without a backbone imports neither."""


@dataclass(frozen=True)
class Effort:
    """What was counted of one run.

    Attributes:
        steps: optimiser steps: how often the parameter that was updated most was updated. Optimisers that take turns
            on different parameters make one step together.
        trained_parameters: numbers that an optimiser updated.
        passes: calls of a backbone; one batch may go through it in several.
        examples: texts in all passes.
        trained_examples: texts in passes that kept a gradient.
    """

    steps: int
    trained_parameters: int
    passes: int
    examples: int
    trained_examples: int


class Counter(TorchHooks):
    """Counts within its `with`. What it sees of a step or a pass is a few numbers: no value is looked at.

    A pass that a method computes without calling a model (layer by layer, say) is not seen; neither is an update that
    is no `torch.optim.Optimizer`'s.
    """

    def __init__(self) -> None:
        self._updates: dict[int, _Updates] = {}  # in the order of first updates
        self._passes = self._examples = self._trained_examples = 0.0
        self._backbone_passes = Passes()

    def register(self) -> tuple[RemovableHandle, ...]:
        """Of steps and passes."""
        return (
            register_optimizer_step_post_hook(self._stepped),
            register_module_forward_hook(self._passed, with_kwargs=True),
        )

    def efforts(self, runs: int = 1) -> list[Effort]:
        """What was counted, for each of so many runs of a pack, in their order.

        Parameters belong to the runs in the order of their first updates, in equal parts. A pass that runs share counts
        for each with its share; so each run has the mean of passes and examples.
        """
        parts = self._parts(runs)
        shared = 1 if len(parts) == runs else runs
        return [
            Effort(
                steps=max((update.count for update in part), default=0),
                trained_parameters=round(sum(update.parameter.numel() for update in part) / shared),
                passes=round(self._passes / runs),
                examples=round(self._examples / runs),
                trained_examples=round(self._trained_examples / runs),
            )
            for part in (parts if shared == 1 else parts * runs)
        ]

    def totals(self) -> dict[str, float]:
        """Passes and texts of all runs up to now."""
        return {
            "passes": self._passes,
            "examples": self._examples,
            "trained_examples": self._trained_examples,
        }

    def updates(self, parameters: Sequence[Tensor]) -> list[int]:
        """How often each of these parameters was updated up to now."""
        return [self._updates[key].count if key in self._updates else 0 for key in map(id, parameters)]

    def add(self, totals: Mapping[str, float], updates: Iterable[tuple[Tensor, int]]) -> None:
        """Count what an earlier process did of the same fits; parameters come in the order of their first updates."""
        self._passes += totals.get("passes", 0.0)
        self._examples += totals.get("examples", 0.0)
        self._trained_examples += totals.get("trained_examples", 0.0)
        for parameter, count in updates:
            if count:
                self._updates.setdefault(id(parameter), _Updates(parameter)).count += count

    def _parts(self, runs: int) -> list[list[_Updates]]:
        """The updated parameters of each run; one part with all of them where runs do not have equal ones of their own.

        They have none where a method stacks what several runs train in one tensor.
        """
        updates = list(self._updates.values())
        size, remainder = divmod(len(updates), runs)
        parts = [updates[size * run : size * (run + 1)] for run in range(runs)]
        shapes = [[update.parameter.shape for update in part] for part in parts]
        return [updates] if remainder or any(of_part != shapes[0] for of_part in shapes) else parts

    def _stepped(self, optimiser: torch.optim.Optimizer, *unused: Any) -> None:
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._updates.setdefault(id(parameter), _Updates(parameter)).count += 1

    def _passed(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], result: Any) -> None:
        if module not in self._backbone_passes:
            return
        rows = next((len(value) for value in (*arguments, *named.values()) if isinstance(value, Tensor)), 0)
        self._passes += 1
        self._examples += rows
        if torch.is_grad_enabled():
            self._trained_examples += rows


class Passes:
    """Tells calls that are passes through a backbone from those of other modules; every call of every module is asked
    about, so what was found of a class or a module is remembered."""

    def __init__(self) -> None:
        self._of_class: dict[type, bool] = {}
        self._of_module: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()

    def __contains__(self, module: nn.Module) -> bool:
        """Whether a call of this module is a pass: of a model with a head, only that of the model within counts."""
        if not self._serves(type(module)):
            return False
        if module not in self._of_module:
            parts = (part for part in module.modules() if part is not module)
            self._of_module[module] = not any(self._serves(type(part)) for part in parts)
        return self._of_module[module]

    def _serves(self, cls: type) -> bool:
        if cls not in self._of_class:
            names = (f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__)
            self._of_class[cls] = any(name in _BACKBONES for name in names)
        return self._of_class[cls]


@dataclass
class _Updates:
    """A parameter, held so that no other gets its address, and how often it was updated."""

    parameter: Tensor
    count: int = 0
