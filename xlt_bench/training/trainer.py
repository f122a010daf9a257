"""The trainer: several seeds ("lanes") in one pass over a shared frozen backbone; one seed is the special case.

Each lane has its own parameters, data order, optimiser, schedule, early stopping and best checkpoint. What the lanes
share is the forward pass, which is the `Forward` that a method brings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlt_bench.errors import DivergedError
from xlt_bench.method import Context, DevPoint, FitSummary
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.training.batches import Batch, Tokenised, batch_order
from xlt_bench.training.optimisation import EarlyStopping, Roles, make_optimiser, make_schedule

Forward = Callable[[Sequence[nn.Module], Sequence[Batch]], list[Tensor]]
"""Maps modules and their batches, one a lane, to logits (items, classes), one tensor a lane."""

_REPORT_EVERY = 10
"""Steps between two looks at the loss: each look waits for the device."""


@dataclass(frozen=True)
class TrainData:
    """Tokenised train and dev splits with their gold classes, shape (items,)."""

    train: Tokenised
    train_gold: NDArray[np.int64]
    dev: Tokenised
    dev_gold: NDArray[np.int64]


class Lane:
    """One seed under training."""

    def __init__(
        self, module: nn.Module, roles: Roles, context: Context, recipe: Recipe, phase: Phase, data: TrainData
    ) -> None:
        self.module = module
        self.context = context
        self.total = phase.total_steps(len(data.train), recipe.batch_size)
        self._recipe = recipe
        self._data = data
        self._optimiser = make_optimiser(roles, recipe)
        self._schedule = make_schedule(self._optimiser, recipe, phase, self.total)
        self._order = batch_order(data.train.lengths, recipe.batch_size, context.seed, recipe.by_length)
        self._stopping = EarlyStopping(phase.patience, start=self.total // 2)
        self._best: dict[str, Tensor] = {}
        self._losses: list[Tensor] = []
        self._history: list[DevPoint] = []
        self._selected: DevPoint | None = None
        self.step = 0
        self.finished = False
        self.failure: DivergedError | None = None

    def next_batch(self) -> Batch:
        """The next train batch of this lane's own order."""
        return self._data.train.batch(next(self._order), self._data.train_gold)

    def update(self, loss: Tensor, examples: int) -> None:
        """One optimiser step, after the gradients of `loss` are there."""
        if self._recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self._recipe.clip_norm)
        self._optimiser.step()
        self._schedule.step()
        self._optimiser.zero_grad()
        self.step += 1
        self._losses.append(loss.detach())
        if self.step % _REPORT_EVERY == 0 or self.step == self.total:
            self._report(examples)

    def _report(self, examples: int) -> None:
        value = float(self._losses[-1])
        self.context.progress.step(self.context.seed, self.step, self.total, value, examples)
        if not math.isfinite(value):
            self._fail(f"the training loss of seed {self.context.seed} became {value} by step {self.step}")

    def _fail(self, what: str) -> None:
        self.finished = True
        self.failure = DivergedError(f"{what}; try a lower learning rate (--set learning_rate=...) or --precision fp32")

    def evaluated(self, dev_loss: float, dev_accuracy: float) -> None:
        """Take note of a dev evaluation: keep the best checkpoint, stop early."""
        train_loss = float(torch.stack(self._losses).mean()) if self._losses else math.nan
        self._losses.clear()
        if not math.isfinite(dev_loss):
            self._fail(f"the dev loss of seed {self.context.seed} became {dev_loss} at step {self.step}")
            return
        point = DevPoint(self.step, train_loss, dev_loss, dev_accuracy)
        self._history.append(point)
        self.context.progress.evaluated(self.context.seed, self.step, dev_accuracy)
        if self._selected is None or dev_accuracy > self._selected.dev_accuracy:
            self._selected = point
            self._best = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        if self.step >= self.total or self._stopping.stops(self.step, dev_loss):
            self.finished = True

    def close(self) -> FitSummary:
        """Put the best checkpoint back and tell what happened."""
        self.module.load_state_dict(self._best)
        self.module.eval()
        trained = sum(p.numel() for p in self.module.parameters() if p.requires_grad)
        selected = self._selected.step if self._selected else None
        return FitSummary(trained, self.step, selected, tuple(self._history))


def train(lanes: Sequence[Lane], forward: Forward, data: TrainData, recipe: Recipe) -> None:
    """Train all lanes to their end; a lane that stops early or diverges leaves, the others go on.

    The global random state is restored; within, it follows from the lanes' seeds (it drives dropout only).
    """
    every = recipe.evaluate_every or -(-len(data.train) // recipe.batch_size)
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(np.random.SeedSequence([lane.context.seed for lane in lanes]).generate_state(1)[0]))
        while active := [lane for lane in lanes if not lane.finished]:
            _step(active, forward)
            if any(lane.step % every == 0 or lane.step >= lane.total for lane in active):
                _evaluate([lane for lane in active if not lane.finished], forward, data)


def _step(lanes: Sequence[Lane], forward: Forward) -> None:
    for lane in lanes:
        lane.module.train()
    batches = [lane.next_batch() for lane in lanes]
    logits = forward([lane.module for lane in lanes], batches)
    losses = [
        nn.functional.cross_entropy(scores, _gold(batch).to(scores.device))
        for scores, batch in zip(logits, batches, strict=True)
    ]
    torch.stack(losses).sum().backward()
    for lane, loss, batch in zip(lanes, losses, batches, strict=True):
        lane.update(loss, len(batch))


def _gold(batch: Batch) -> Tensor:
    assert batch.gold is not None, "a train batch carries its labels"
    return batch.gold


@torch.no_grad()
def _evaluate(lanes: Sequence[Lane], forward: Forward, data: TrainData) -> None:
    if not lanes:
        return
    for lane in lanes:
        lane.module.eval()
    loss = torch.zeros(len(lanes))
    correct = torch.zeros(len(lanes))
    for index in data.dev.sorted_batches():
        batch = data.dev.batch(index, data.dev_gold)
        gold = _gold(batch)
        for at, scores in enumerate(forward([lane.module for lane in lanes], [batch] * len(lanes))):
            cpu = scores.cpu()
            loss[at] += nn.functional.cross_entropy(cpu, gold, reduction="sum")
            correct[at] += (cpu.argmax(1) == gold).sum()
    for at, lane in enumerate(lanes):
        lane.evaluated(float(loss[at]) / len(data.dev), float(correct[at]) / len(data.dev))
