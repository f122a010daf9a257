"""What snapshots of all trainings have: optimiser, schedule, randomness.

What follows from the fit itself is in none: data, recipe, frozen weights, and the order of the batches, of which the
first ones are skipped.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from xlt_bench.method import Snapshot
from xlt_bench.training.seeding import RandomStream

_OPTIMISER, _STREAM = "optimiser.", "stream."
_TORCH, _NUMPY = "global.torch", "global.numpy"


@dataclass(frozen=True)
class Stepper:
    """What makes the steps of a training, and the stream that is drawn from in them."""

    optimiser: torch.optim.Optimizer
    schedule: LRScheduler
    stream: RandomStream

    def snapshot(self) -> Snapshot:
        """Their state between two steps, and that of the global generators; tensors are not copied."""
        moments, optimiser_numbers = _optimiser_state(self.optimiser)
        numpy_name, numpy_keys, *numpy_numbers = np.random.get_state(legacy=True)
        version, python_keys, python_gauss = random.getstate()
        tensors = {
            **prefixed(_OPTIMISER, moments),
            **prefixed(_STREAM, {str(number): state for number, state in enumerate(self.stream.states)}),
            _TORCH: torch.get_rng_state(),
            _NUMPY: torch.from_numpy(np.asarray(numpy_keys, np.int64)),
        }
        plain = {
            "schedule": self.schedule.state_dict(),
            "learning_rates": [group["lr"] for group in self.optimiser.param_groups],
            "optimiser": optimiser_numbers,
            "numpy": [numpy_name, numpy_numbers],
            "python": [version, list(python_keys), python_gauss],
        }
        return Snapshot(tensors, plain)

    def restore(self, snapshot: Snapshot) -> None:
        """Set them, and the global generators, to what they were."""
        _restore_optimiser(self.optimiser, snapshot)
        self.schedule.load_state_dict(dict(snapshot.plain["schedule"]))
        streams = part(snapshot, _STREAM)
        self.stream.states = [streams[str(number)] for number in range(len(streams))]
        _restore_generators(snapshot)


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under longer names."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def part(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    """The tensors with a prefix, by their names without it."""
    return {name.removeprefix(prefix): value for name, value in snapshot.tensors.items() if name.startswith(prefix)}


def _restore_generators(snapshot: Snapshot) -> None:
    torch.set_rng_state(snapshot.tensors[_TORCH])
    numpy_name, numpy_numbers = snapshot.plain["numpy"]
    np.random.set_state((numpy_name, snapshot.tensors[_NUMPY].numpy().astype(np.uint32), *numpy_numbers))
    version, python_keys, python_gauss = snapshot.plain["python"]
    random.setstate((version, tuple(python_keys), python_gauss))


def _optimiser_state(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, dict[str, float]]]:
    """What an optimiser remembers of its parameters, by their numbers: tensors, and plain numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, float]] = {}
    for parameter, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{parameter}.{name}"] = value
            else:
                numbers.setdefault(str(parameter), {})[name] = value
    return tensors, numbers


def _restore_optimiser(optimiser: torch.optim.Optimizer, snapshot: Snapshot) -> None:
    state: dict[int, dict[str, Any]] = {int(key): dict(values) for key, values in snapshot.plain["optimiser"].items()}
    for name, tensor in part(snapshot, _OPTIMISER).items():
        parameter, _, inner = name.partition(".")
        state.setdefault(int(parameter), {})[inner] = tensor
    plain = optimiser.state_dict()
    for group, rate in zip(plain["param_groups"], snapshot.plain["learning_rates"], strict=True):
        group["lr"] = rate
    optimiser.load_state_dict({**plain, "state": state})
