"""Lanes as snapshots: all that changes while a lane is trained, and a new lane of the same fit set to it.

What follows from the fit itself is not in it: data, recipe, frozen weights, and the order of the batches, of which the
first ones are skipped.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xlt_bench.method import DevPoint, Snapshot
from xlt_bench.training.lane import Lane
from xlt_bench.training.saving import distinct

_MODULE, _FINAL, _OPTIMISER, _LOSSES, _STREAM = "module.", "final.", "optimiser.", "losses.", "stream."
_TORCH, _NUMPY = "global.torch", "global.numpy"


def snapshot_of(lane: Lane) -> Snapshot:
    """The state of a lane between two steps, and of the global generators; tensors are not copied."""
    moments, optimiser_numbers = _optimiser_state(lane)
    terms = {name: None for losses in lane.losses for name in losses}
    tensors = {
        **_prefixed(_MODULE, distinct(lane.module.state_dict())),
        **_prefixed(_FINAL, lane.final),
        **_prefixed(_OPTIMISER, moments),
        **_prefixed(_STREAM, {str(number): state for number, state in enumerate(lane.random.states)}),
        **{_LOSSES + name: torch.stack([losses[name] for losses in lane.losses if name in losses]) for name in terms},
    }
    numpy_name, numpy_keys, *numpy_numbers = np.random.get_state(legacy=True)
    tensors |= {_TORCH: torch.get_rng_state(), _NUMPY: torch.from_numpy(np.asarray(numpy_keys, np.int64))}
    version, python_keys, python_gauss = random.getstate()
    plain = {
        "step": lane.step,
        "finished": lane.finished,
        "history": [asdict(point) for point in lane.history],
        "selected": None if lane.selected is None else lane.history.index(lane.selected),
        "best_dev_loss": lane.stopping.best,
        "waited": lane.stopping.waited,
        "schedule": lane.schedule.state_dict(),
        "learning_rates": [group["lr"] for group in lane.optimiser.param_groups],
        "optimiser": optimiser_numbers,
        "terms": [list(losses) for losses in lane.losses],
        "numpy": [numpy_name, numpy_numbers],
        "python": [version, list(python_keys), python_gauss],
    }
    return Snapshot(tensors, plain)


def fits(lane: Lane, snapshot: Snapshot) -> bool:
    """Whether a snapshot is of such a lane: the same trained tensors, of the same shapes."""
    shapes = {name: tensor.shape for name, tensor in distinct(lane.module.state_dict()).items()}
    return shapes == {name: tensor.shape for name, tensor in _part(snapshot, _MODULE).items()}


def restore(lane: Lane, snapshot: Snapshot) -> None:
    """Set a new lane, and the global generators, to what they were."""
    plain = snapshot.plain
    with torch.no_grad():
        for name, tensor in distinct(lane.module.state_dict()).items():
            tensor.copy_(snapshot.tensors[_MODULE + name])
    lane.final = {name: tensor.to(lane.device) for name, tensor in _part(snapshot, _FINAL).items()}
    _restore_optimiser(lane, snapshot)
    lane.schedule.load_state_dict(dict(plain["schedule"]))
    lane.history = [DevPoint(**point) for point in plain["history"]]
    lane.selected = None if plain["selected"] is None else lane.history[plain["selected"]]
    lane.stopping.best, lane.stopping.waited = plain["best_dev_loss"], plain["waited"]
    values = {name: iter(stack.to(lane.device)) for name, stack in _part(snapshot, _LOSSES).items()}
    lane.losses = [{name: next(values[name]) for name in names} for names in plain["terms"]]
    lane.step, lane.finished = plain["step"], plain["finished"]
    if not lane.finished:
        lane.skip(lane.step)
    streams = _part(snapshot, _STREAM)
    lane.random.states = [streams[str(number)] for number in range(len(streams))]
    _restore_generators(snapshot)


def _restore_generators(snapshot: Snapshot) -> None:
    torch.set_rng_state(snapshot.tensors[_TORCH])
    numpy_name, numpy_numbers = snapshot.plain["numpy"]
    np.random.set_state((numpy_name, snapshot.tensors[_NUMPY].numpy().astype(np.uint32), *numpy_numbers))
    version, python_keys, python_gauss = snapshot.plain["python"]
    random.setstate((version, tuple(python_keys), python_gauss))


def _optimiser_state(lane: Lane) -> tuple[dict[str, Tensor], dict[str, dict[str, float]]]:
    """What an optimiser remembers of its parameters, by their numbers: tensors, and plain numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, float]] = {}
    for parameter, state in lane.optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{parameter}.{name}"] = value
            else:
                numbers.setdefault(str(parameter), {})[name] = value
    return tensors, numbers


def _restore_optimiser(lane: Lane, snapshot: Snapshot) -> None:
    state: dict[int, dict[str, Any]] = {int(key): dict(values) for key, values in snapshot.plain["optimiser"].items()}
    for name, tensor in _part(snapshot, _OPTIMISER).items():
        parameter, _, inner = name.partition(".")
        state.setdefault(int(parameter), {})[inner] = tensor
    plain = lane.optimiser.state_dict()
    for group, rate in zip(plain["param_groups"], snapshot.plain["learning_rates"], strict=True):
        group["lr"] = rate
    lane.optimiser.load_state_dict({**plain, "state": state})


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _part(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    """The tensors with a prefix, by their names without it."""
    return {name.removeprefix(prefix): value for name, value in snapshot.tensors.items() if name.startswith(prefix)}
