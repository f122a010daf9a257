"""The trainer: several seeds ("lanes") over a shared frozen backbone; one seed is the special case.

Each lane has its own parameters, data order, randomness, optimiser, schedule, early stopping and best checkpoint. What
the lanes share is the forward pass, which is the `Forward` that a method brings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

import torch
from torch import Tensor, nn

from xlt_bench.backbones.batches import Batch, tokens_at_once
from xlt_bench.errors import DivergedError
from xlt_bench.method import Activity, Context, DevPoint, FitSummary
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.training.adafactor import Together
from xlt_bench.training.data import TrainData
from xlt_bench.training.losses import Terms, gold_of, total
from xlt_bench.training.memory import PassWidth, out_of_memory
from xlt_bench.training.optimisation import EarlyStopping, Roles, make_optimiser, make_schedule, step_together
from xlt_bench.training.order import Index
from xlt_bench.training.seeding import RandomStream


class Forward(Protocol):
    """Maps modules and their batches, one a lane, to what they give; several lanes may share a pass."""

    def __call__(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Tensor]:
        """Logits (rows, classes), one tensor a lane."""

    def gradients(self, modules: Sequence[nn.Module], batches: Sequence[Batch]) -> list[Terms]:
        """Add the gradient of each lane's loss to its parameters; the terms of these losses, detached."""


_REPORT_EVERY = 10
"""Steps between two looks at the loss: each look waits for the device."""


class Lane:
    """One seed under training.

    Args:
        module: what is trained, with its head.
        roles: its parameters.
        context: of the fit; everything random follows from its seed.
        recipe: with the rates of these roles.
        phase: the budget.
        data: train and dev split.
        order: endless train batches, as rows of the train split.
    """

    def __init__(
        self,
        module: nn.Module,
        roles: Roles,
        context: Context,
        recipe: Recipe,
        phase: Phase,
        data: TrainData,
        order: Iterator[Index],
    ) -> None:
        self.module = module
        self.context = context
        self.total = phase.total_steps(data.items, recipe.batch_size)
        self.data = data
        self.evaluate_every = recipe.evaluate_every or -(-data.items // recipe.batch_size)
        self.random = RandomStream(context.seed, _device(module, context))
        self._recipe = recipe
        self.optimiser = make_optimiser(roles, recipe)
        self._schedule = make_schedule(self.optimiser, recipe, phase, self.total)
        self._order = order
        self._stopping = EarlyStopping(phase.patience, start=self.total // 2)
        self._best: dict[str, Tensor] = {}
        self._losses: list[Terms] = []
        self._history: list[DevPoint] = []
        self._selected: DevPoint | None = None
        self.step = 0
        self.finished = False
        self.failure: DivergedError | None = None

    def next_batch(self) -> Batch:
        """The next train batch of this lane's own order."""
        return self.data.train.batch(next(self._order))

    def clip(self) -> None:
        """Clip the gradients, where the recipe says so."""
        if self._recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self._recipe.clip_norm)

    def updated(self, terms: Terms, examples: int) -> None:
        """Take note of an optimiser step on a batch with these terms of the loss."""
        self._schedule.step()
        self.optimiser.zero_grad()
        self.step += 1
        self._losses.append(terms)
        if self.step % _REPORT_EVERY == 0 or self.step == self.total:
            self._report(examples)

    def _report(self, examples: int) -> None:
        value = float(total(self._losses[-1]))
        self.context.progress.step(self.context.seed, self.step, self.total, value, examples)
        if not math.isfinite(value):
            self._fail(f"the training loss of seed {self.context.seed} became {value} by step {self.step}")

    def _fail(self, event: str) -> None:
        self.finished = True
        advice = "try a lower learning rate (--set learning_rate=...) or --precision fp32"
        self.failure = DivergedError(f"{event}; {advice}")

    def evaluated(self, dev_loss: float, dev_accuracy: float) -> None:
        """Take note of a dev evaluation: select a checkpoint, stop early."""
        train_loss = float(torch.stack([total(terms) for terms in self._losses]).mean()) if self._losses else math.nan
        means = _means(self._losses)
        self._losses.clear()
        if not math.isfinite(dev_loss):
            self._fail(f"the dev loss of seed {self.context.seed} became {dev_loss} at step {self.step}")
            return
        point = DevPoint(self.step, train_loss, dev_loss, dev_accuracy, means)
        self._history.append(point)
        self.context.progress.evaluated(self.context.seed, self.step, dev_accuracy)
        is_best = self._selected is None or dev_accuracy > self._selected.dev_accuracy
        if self._recipe.checkpoint == "best-dev" and is_best:
            self._selected = point
            self._best = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        if self.step >= self.total or self._stopping.stops(self.step, dev_loss):
            self.finished = True

    def close(self) -> FitSummary:
        """Put the best checkpoint back, where it is not the last, and tell what happened."""
        if self._best:
            self.module.load_state_dict(self._best)
        self.module.eval()
        trained = sum(p.numel() for p in self.module.parameters() if p.requires_grad)
        selected = self._selected.step if self._selected else None
        return FitSummary(trained, self.step, selected, tuple(self._history))


def _means(losses: Sequence[Terms]) -> dict[str, float]:
    """Mean of each term over the steps that had it."""
    by_name: dict[str, list[Tensor]] = {}
    for terms in losses:
        for name, term in terms.items():
            by_name.setdefault(name, []).append(term)
    return {name: float(torch.stack(values).mean()) for name, values in by_name.items()}


def train(lanes: Sequence[Lane], forward: Forward) -> None:
    """Train all lanes to their end; a lane that stops early or diverges leaves, the others go on.

    Lanes may have data of their own; those with the same dev split are evaluated on it together.

    The global random state stays as it is: each lane draws from a stream that follows from its seed. Where several
    lanes share a pass (on a GPU), what is drawn in it comes from the first one's stream.

    Raises:
        MethodError: not even one lane fits into memory.
    """
    lanes[0].context.progress.activity(Activity("training"))
    together = Together()
    width = PassWidth(_device(lanes[0].module, lanes[0].context))
    while active := [lane for lane in lanes if not lane.finished]:
        with width.probe():
            _step(active, forward, width, together)
        due = [lane for lane in active if lane.step % lane.evaluate_every == 0 or lane.step >= lane.total]
        for _, group in groupby((lane for lane in due if not lane.finished), key=lambda lane: id(lane.data.dev)):
            _evaluate(list(group), forward)


def _device(module: nn.Module, context: Context) -> torch.device:
    return next((parameter.device for parameter in module.parameters()), torch.device(context.device))


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
    """Score the dev split that these lanes have in common."""
    modules = [lane.module.eval() for lane in lanes]
    data = lanes[0].data
    loss, correct = torch.zeros(len(lanes)), torch.zeros(len(lanes))
    device = _device(modules[0], lanes[0].context)
    for index in data.dev.texts.sorted_batches(tokens=tokens_at_once(device)):
        batch = data.dev.batch(index)
        gold = gold_of(batch)
        for number, scores in enumerate(forward(modules, [batch] * len(lanes))):
            logits = scores.cpu()
            loss[number] += nn.functional.cross_entropy(logits, gold, reduction="sum")
            correct[number] += (logits.argmax(1) == gold).sum()
    for number, lane in enumerate(lanes):
        lane.evaluated(float(loss[number]) / len(data.dev), float(correct[number]) / len(data.dev))
