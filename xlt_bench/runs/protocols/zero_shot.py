"""zero-shot: fit on the sources' train and dev splits, predict every target. No target data is in scope of the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError
from xlt_bench.method import Adaptable, Context, Method
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import ZERO_SHOT, Cell, Protocol
from xlt_bench.resources import with_usable_labels
from xlt_bench.runs.calls import Fits, fit
from xlt_bench.task import Labelled, Task, TaskInfo
from xlt_bench.tasks.sampling import stratified

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class ZeroShot:
    """See `TransferProtocol`; one cell a seed, with all its targets."""

    name: Protocol = ZERO_SHOT
    selected_on: str = "source dev"

    def check_request(self, request: Request, method: Method) -> None:
        """Refuse what is of learning from a target."""
        if not request.has_sources:
            raise ConfigError(
                "--sources none trains on each target's own labels, which is no zero-shot; leave --protocol out"
            )
        if request.target_steps is not None or request.shots != (None,):
            option = "--shots" if request.target_steps is None else "--target-steps"
            raise ConfigError(f"{option} is of adapting to a target; add --protocol full")

    def check_data(self, request: Request, task: Task, targets: Sequence[str]) -> None:
        """Nothing but test items is needed of a target."""

    def default_seeds(self, info: TaskInfo, method: Method) -> int:
        """The task's."""
        return info.seeds

    def default_targets(self, info: TaskInfo, groups: Mapping[str, frozenset[str]]) -> str | None:
        """All groups that hold no source."""
        return None

    def cells(self, template: Cell, seeds: Sequence[int], shots: Sequence[int | None], unadapted: Cell) -> list[Cell]:
        """One a seed."""
        return [replace(template, seed=seed) for seed in seeds]

    def recipe(self, recipe: Recipe, cell: Cell, task: Task) -> Recipe:
        """As it is."""
        return recipe

    def steps(self, cell: Cell, task: Task, recipe: Recipe) -> int:
        """Those of the fit on the sources."""
        return source_steps(cell, task, recipe)

    def fit(
        self, cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context], source: Adaptable | None
    ) -> Fits:
        """Fit on the sources: together, unless each seed draws examples of its own."""
        if cells[0].examples is None:
            return fit(method, *source_data(cells[0], task), contexts)
        return [
            fit(method, *source_data(cell, task), [context])[0] for cell, context in zip(cells, contexts, strict=True)
        ]

    def predicted(self, cell: Cell, task: Task, recipe: Recipe) -> list[Labelled]:
        """Test items of all targets; or, in a trial, what of the sources' dev items selects the checkpoint."""
        if cell.predicts == "dev":
            return [stratified(source_data(cell, task)[1], recipe.dev_limit)]
        return [task.split(code, "test") for code in cell.targets]

    def comparison(self, cell: Cell) -> str:
        """All of them."""
        return "cross-lingual zero-shot"


def source_data(cell: Cell, task: Task) -> tuple[Labelled, Labelled]:
    """Train and dev split of a cell's sources, limited to its number of examples as a target is to its shots."""
    train, dev = with_usable_labels(task.pool(cell.sources, "train"), cell.resources), task.pool(cell.sources, "dev")
    return stratified(train, cell.examples, cell.seed), stratified(dev, cell.examples, cell.seed)


def source_steps(cell: Cell, task: Task, recipe: Recipe) -> int:
    """Optimiser steps that the recipe has for the fit on a cell's sources."""
    return recipe.source.total_steps(len(source_data(cell, task)[0]), recipe.batch_size)
