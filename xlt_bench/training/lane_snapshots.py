"""Lanes as snapshots: all that changes while a lane is trained, and a new lane of the same fit set to it."""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from xlt_bench.method import Context, DevPoint, Snapshot
from xlt_bench.training.lane import Lane
from xlt_bench.training.saving import distinct
from xlt_bench.training.snapshots import Stepper, part, prefixed

_MODULE, _FINAL, _LOSSES = "module.", "final.", "losses."


class ResumableLane:
    """A lane as checkpoints see it, see `Resumable`."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._stepper = Stepper(lane.optimiser, lane.schedule, lane.random)

    @property
    def context(self) -> Context:
        """Of the fit."""
        return self._lane.context

    @property
    def title(self) -> str:
        """Its seed."""
        return f"seed {self._lane.context.seed}"

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and to be done."""
        return self._lane.step, self._lane.total

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to train."""
        return self._lane.finished

    @property
    def failed(self) -> bool:
        """Whether it diverged."""
        return self._lane.failure is not None

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained."""
        return [parameter for group in self._lane.optimiser.param_groups for parameter in group["params"]]

    def snapshot(self) -> Snapshot:
        """The state between two steps, and of the global generators; tensors are not copied."""
        lane, steps = self._lane, self._stepper.snapshot()
        terms = {name: None for losses in lane.losses for name in losses}
        tensors = {
            **steps.tensors,
            **prefixed(_MODULE, distinct(lane.module.state_dict())),
            **prefixed(_FINAL, lane.final),
            **{
                _LOSSES + name: torch.stack([losses[name] for losses in lane.losses if name in losses])
                for name in terms
            },
        }
        plain = {
            **steps.plain,
            "step": lane.step,
            "finished": lane.finished,
            "history": [asdict(point) for point in lane.history],
            "selected": None if lane.selected is None else lane.history.index(lane.selected),
            "best_dev_loss": lane.stopping.best,
            "waited": lane.stopping.waited,
            "terms": [list(losses) for losses in lane.losses],
        }
        return Snapshot(tensors, plain)

    def accepts(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of such a lane: the same trained tensors, of the same shapes."""
        shapes = {name: tensor.shape for name, tensor in distinct(self._lane.module.state_dict()).items()}
        return shapes == {name: tensor.shape for name, tensor in part(snapshot, _MODULE).items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Set a new lane, and the global generators, to what they were."""
        lane, plain = self._lane, snapshot.plain
        with torch.no_grad():
            for name, tensor in distinct(lane.module.state_dict()).items():
                tensor.copy_(snapshot.tensors[_MODULE + name])
        lane.final = {name: tensor.to(lane.device) for name, tensor in part(snapshot, _FINAL).items()}
        lane.history = [DevPoint(**point) for point in plain["history"]]
        lane.selected = None if plain["selected"] is None else lane.history[plain["selected"]]
        lane.stopping.best, lane.stopping.waited = plain["best_dev_loss"], plain["waited"]
        values = {name: iter(stack.to(lane.device)) for name, stack in part(snapshot, _LOSSES).items()}
        lane.losses = [{name: next(values[name]) for name in names} for names in plain["terms"]]
        lane.step, lane.finished = plain["step"], plain["finished"]
        if not lane.finished:
            lane.skip(lane.step)
        self._stepper.restore(snapshot)
