"""full: labelled examples of the target are learned from, all of its train split or few of it (shots).

With sources, fit on them, then adapt from that fit to one target on its train split, its dev split selecting, and
predict its test split (sequential transfer). Without sources, fit on the target's own splits (monolingual baseline).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError
from xlt_bench.method import Adaptable, Context, Method
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import FULL, Cell, Protocol
from xlt_bench.runs.calls import Fits, adapt, fit
from xlt_bench.runs.protocols.zero_shot import source_data
from xlt_bench.task import Labelled, Task, TaskInfo
from xlt_bench.tasks.sampling import stratified

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class Full:
    """See `TransferProtocol`; one cell a seed, target and number of examples."""

    name: Protocol = FULL
    selected_on: str = "target dev"

    def check_request(self, request: Request, method: Method) -> None:
        """Refuse a second budget where there is one fit, and numbers of examples that are none."""
        if not request.has_sources and request.target_steps is not None:
            raise ConfigError(
                "--sources none has one fit a target, and its budget is --steps; leave --target-steps out"
            )

    def check_data(self, request: Request, task: Task, targets: Sequence[str]) -> None:
        """Refuse targets without train and dev split, and more examples than a target has."""
        task.check_trainable(targets, "--protocol full")
        shots = request.shots
        wrong = [count for count in shots if count is not None and (type(count) is not int or count < 0)]
        if wrong or len(set(shots)) < len(shots):
            raise ConfigError(f"--shots takes different whole numbers of at least 0, and all (None), not {shots}")
        if not shots:
            raise ConfigError("--shots names no number of examples; give some, such as 8,32,all")
        for target in targets:
            items = len(task.split(target, "train"))
            for count in shots:
                if count is not None and count > items:
                    raise ConfigError(
                        f"--shots {count}: the train split of {target} has {items} items; all of them are --shots all"
                    )
        if not request.has_sources and 0 in shots:
            raise ConfigError(
                "--shots 0 with --sources none leaves nothing to learn from; give sources or other numbers"
            )

    def default_seeds(self, info: TaskInfo, method: Method) -> int:
        """More than for zero-shot: a target's score varies more."""
        return info.full_seeds

    def default_targets(self, info: TaskInfo, groups: Mapping[str, frozenset[str]]) -> str | None:
        """The groups that the task names for it, those of them that are known for the backbone."""
        return ",".join(name for name in info.full_targets if name in groups) or None

    def cells(self, template: Cell, seeds: Sequence[int], shots: Sequence[int | None], unadapted: Cell) -> list[Cell]:
        """Every seed, number of examples and target.

        With 0 examples a fit on the sources is not adapted, which is the zero-shot protocol: one cell for all targets.
        """
        return [
            cell
            for seed in seeds
            for count in shots
            for cell in (
                [replace(unadapted, seed=seed)]
                if count == 0
                else [replace(template, seed=seed, targets=(target,), shots=count) for target in template.targets]
            )
        ]

    def recipe(self, recipe: Recipe, cell: Cell, task: Task) -> Recipe:
        """With few shots, dev is evaluated as often as with the whole train split.

        An epoch over 8 examples is a single step, and a dev evaluation each step is no protocol.
        """
        if cell.shots is None or recipe.evaluate_every is not None:
            return recipe
        items = len(task.split(cell.targets[0], "train"))
        return replace(recipe, evaluate_every=-(-items // recipe.batch_size))

    def steps(self, cell: Cell, task: Task, recipe: Recipe) -> int:
        """Those of adapting; of the one fit, where there are no sources."""
        phase = recipe.target if cell.adapts else recipe.source
        return phase.total_steps(len(target_data(cell, task)[0]), recipe.batch_size)

    def fit(
        self, cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context], source: Adaptable | None
    ) -> Fits:
        """Adapt a fit on the sources to the one target of each cell; without sources, fit on the target's own data.

        Fits on one target's data go together, unless each seed draws examples of its own.
        """
        if source is not None:
            trains, devs = zip(*(target_data(cell, task) for cell in cells), strict=True)
            return adapt(source, trains, devs, contexts)
        if cells[0].shots is None:
            return fit(method, *target_data(cells[0], task), contexts)
        return [
            fit(method, *target_data(cell, task), [context])[0] for cell, context in zip(cells, contexts, strict=True)
        ]

    def predicted(self, cell: Cell, task: Task, recipe: Recipe) -> list[Labelled]:
        """Test items of the target."""
        return [task.split(code, "test") for code in cell.targets]

    def comparison(self, cell: Cell) -> str:
        """Those that saw equally many examples of the target, whether they began from sources or not."""
        return "full supervision" if cell.shots is None else f"{cell.shots} labelled examples of the target"


def fit_source(cell: Cell, method: Method, task: Task, context: Context) -> Adaptable:
    """Fit on the sources of a cell, to adapt from there to its target and to others.

    Raises:
        ConfigError: what the method fits cannot be adapted.
    """
    (fitted,) = fit(method, *source_data(cell, task), [context])
    if isinstance(fitted, Adaptable):
        return fitted
    raise ConfigError(
        f"method {cell.method} cannot go on learning from a target ({type(fitted).__name__} has no adapt); "
        "use --protocol zero-shot, or --sources none to fit on each target alone"
    )


def target_data(cell: Cell, task: Task) -> tuple[Labelled, Labelled]:
    """Train and dev split of a cell's one target; with few shots, that many items at most of either.

    The subsets keep the classes' shares, are the same for every method and seed by seed, and each is part of every
    larger one. Dev is cut too: who has 8 labelled sentences has no 99 more to select a checkpoint on.
    """
    (target,) = cell.targets
    train, dev = (task.split(target, "train"), task.split(target, "dev"))
    return stratified(train, cell.shots, cell.seed), stratified(dev, cell.shots, cell.seed)
