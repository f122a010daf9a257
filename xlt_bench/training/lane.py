"""A lane: one seed under training, with all that changes while it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import DivergedError
from xlt_bench.method import Context, DevPoint, FitSummary
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.training.data import TrainData
from xlt_bench.training.losses import Terms, total
from xlt_bench.training.optimisation import EarlyStopping, Roles, make_optimiser, make_schedule
from xlt_bench.training.order import Index
from xlt_bench.training.seeding import RandomStream

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
        self.device = next((parameter.device for parameter in module.parameters()), torch.device(context.device))
        self.random = RandomStream(context.seed, self.device)
        self._recipe = recipe
        self.optimiser = make_optimiser(roles, recipe)
        self.schedule = make_schedule(self.optimiser, recipe, phase, self.total)
        self._order = order
        self.stopping = EarlyStopping(phase.patience, start=self.total // 2)
        self.final: dict[str, Tensor] = {}
        self.losses: list[Terms] = []
        self.history: list[DevPoint] = []
        self.selected: DevPoint | None = None
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

    @property
    def due(self) -> bool:
        """Whether the dev split is to be scored before the next step."""
        scored = self.history[-1].step if self.history else 0
        return self.step > scored and (self.step % self.evaluate_every == 0 or self.step >= self.total)

    def skip(self, batches: int) -> None:
        """Leave out the first batches of the order, in which an earlier process has trained."""
        for _ in range(batches):
            next(self._order)

    def updated(self, terms: Terms, examples: int) -> None:
        """Take note of an optimiser step on a batch with these terms of the loss."""
        self.schedule.step()
        self.optimiser.zero_grad()
        self.step += 1
        self.losses.append(terms)
        if self.step % _REPORT_EVERY == 0 or self.step == self.total:
            self._report(examples)

    def _report(self, examples: int) -> None:
        value = float(total(self.losses[-1]))
        self.context.progress.step(self.context.seed, self.step, self.total, value, examples)
        if not math.isfinite(value):
            self._fail(f"the training loss of seed {self.context.seed} became {value} by step {self.step}")

    def _fail(self, event: str) -> None:
        self.finished = True
        advice = "try a lower learning rate (--set learning_rate=...) or --precision fp32"
        self.failure = DivergedError(f"{event}; {advice}")

    def evaluated(self, dev_loss: float, dev_accuracy: float) -> None:
        """Take note of a dev evaluation: keep what the fit may end with, stop early."""
        train_loss = float(torch.stack([total(terms) for terms in self.losses]).mean()) if self.losses else math.nan
        means = _means(self.losses)
        self.losses.clear()
        if not math.isfinite(dev_loss):
            self._fail(f"the dev loss of seed {self.context.seed} became {dev_loss} at step {self.step}")
            return
        point = DevPoint(self.step, train_loss, dev_loss, dev_accuracy, means)
        self.history.append(point)
        self.context.progress.evaluated(self.context.seed, self.step, dev_accuracy)
        if self._recipe.checkpoint == "mean":
            self._average()
        elif self._recipe.checkpoint == "best-dev" and self._is_best(dev_accuracy):
            self.selected = point
            self.final = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
        if self.step >= self.total or self.stopping.stops(self.step, dev_loss):
            self.finished = True

    def _is_best(self, dev_accuracy: float) -> bool:
        return self.selected is None or dev_accuracy > self.selected.dev_accuracy

    def _average(self) -> None:
        """Take the parameters of this evaluation into the mean over all; what is no real number stays the last."""
        for name, value in self.module.state_dict().items():
            if name in self.final and value.is_floating_point():
                self.final[name].lerp_(value.detach(), 1 / len(self.history))
            else:
                self.final[name] = value.detach().clone()

    def close(self) -> FitSummary:
        """Put in what the fit ends with, where it is not the last, and tell what happened."""
        if self.final:
            self.module.load_state_dict(self.final)
        self.module.eval()
        trained = sum(p.numel() for p in self.module.parameters() if p.requires_grad)
        selected = self.selected.step if self.selected else None
        return FitSummary(trained, self.step, selected, tuple(self.history))


def _means(losses: Sequence[Terms]) -> dict[str, float]:
    """Mean of each term over the steps that had it."""
    by_name: dict[str, list[Tensor]] = {}
    for terms in losses:
        for name, term in terms.items():
            by_name.setdefault(name, []).append(term)
    return {name: float(torch.stack(values).mean()) for name, values in by_name.items()}
