"""The trainer: several seeds ("lanes") over a shared frozen backbone; one seed is the special case.

Each lane has its own parameters, data order, randomness, optimiser, schedule, early stopping and best checkpoint. What
the lanes share is the forward pass, which is the `Forward` that a method brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Protocol

import torch
from torch import Tensor, nn

from xlt_bench.backbones.batches import Batch, tokens_at_once
from xlt_bench.io.memory import give_back_freed_memory
from xlt_bench.method import Activity
from xlt_bench.training.adafactor import Together
from xlt_bench.training.checkpointing import resumable
from xlt_bench.training.lane import Lane
from xlt_bench.training.lane_snapshots import ResumableLane
from xlt_bench.training.losses import Terms, gold_of
from xlt_bench.training.memory import PassWidth, out_of_memory
from xlt_bench.training.optimisation import step_together


class Forward(Protocol):
    """Maps modules and their batches, one a lane, to what they give; several lanes may share a pass."""

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (rows, classes), one tensor a lane."""

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        """Add the gradient of each lane's loss to its parameters; the terms of these losses, detached."""


def train(lanes: Sequence[Lane], forward: Forward) -> None:
    """Train all lanes to their end; a lane that stops early or diverges leaves, the others go on.

    Lanes may have data of their own; those with the same dev split are evaluated on it together. Where a lane has a
    checkpoint it goes on from there.

    The global random state stays as it is: each lane draws from a stream that follows from its seed. Where several
    lanes share a pass (on a GPU), what is drawn in it comes from the first one's stream.

    Raises:
        MethodError: not even one lane fits into memory.
        Stopped: a scheduler asked the process to leave, and the lanes are kept.
    """
    lanes[0].context.progress.activity(Activity("training"))
    with resumable([ResumableLane(lane) for lane in lanes]) as keep:
        _train(lanes, forward, keep)
    give_back_freed_memory()  # of the passes: hundreds of megabytes, beside which predicting would have its own


def _train(lanes: Sequence[Lane], forward: Forward, keep: Callable[[bool], None]) -> None:
    together = Together()
    width = PassWidth(lanes[0].device)
    while active := [lane for lane in lanes if not lane.finished]:
        if not any(lane.due for lane in active):  # a lane may have been cut off between a step and its evaluation
            with width.probe():
                _step(active, forward, width, together)
        due = [lane for lane in active if lane.due and not lane.finished]
        for _, group in groupby(due, key=lambda lane: id(lane.data.dev)):
            _evaluate(list(group), forward)
        keep(bool(due))


def _step(lanes: Sequence[Lane], forward: Forward, width: PassWidth, together: Together) -> None:
    """One optimiser step of every lane; as many lanes go through the backbone together as memory allows."""
    batches = [lane.next_batch() for lane in lanes]
    losses: list[Terms] = []
    while len(losses) < len(lanes):
        part = slice(len(losses), len(losses) + width.lanes)
        try:
            losses += _gradients(lanes[part], batches[part], forward)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            width.halve(error)
            for lane in lanes[part]:
                lane.module.zero_grad()
    for lane in lanes:
        lane.clip()
    step_together([lane.optimiser for lane in lanes], together)
    for lane, terms, batch in zip(lanes, losses, batches, strict=True):
        lane.updated(terms, len(batch))


def _gradients(lanes: Sequence[Lane], batches: Sequence[Batch], forward: Forward) -> list[Terms]:
    modules = [lane.module.train() for lane in lanes]
    with lanes[0].random:
        return forward.gradients(modules, batches)


@torch.no_grad()
def _evaluate(lanes: Sequence[Lane], forward: Forward) -> None:
    """Score the dev split that these lanes have in common; not to its end where the process is asked to leave."""
    modules = [lane.module.eval() for lane in lanes]
    data = lanes[0].data
    loss, correct = torch.zeros(len(lanes)), torch.zeros(len(lanes))
    device, checkpoints = lanes[0].device, lanes[0].context.checkpoints
    for index in data.dev.texts.sorted_batches(tokens=tokens_at_once(device)):
        if checkpoints is not None and checkpoints.stop_signals.requested:
            return
        batch = data.dev.batch(index)
        gold = gold_of(batch)
        for number, scores in enumerate(forward(modules, [batch] * len(lanes))):
            logits = scores.cpu()
            loss[number] += nn.functional.cross_entropy(logits, gold, reduction="sum")
            correct[number] += (logits.argmax(1) == gold).sum()
    for number, lane in enumerate(lanes):
        lane.evaluated(float(loss[number]) / len(data.dev), float(correct[number]) / len(data.dev))
