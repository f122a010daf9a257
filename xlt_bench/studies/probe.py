"""What a step costs: seconds, memory and arithmetic of a method, from cells of a few steps in a store aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.errors import MethodError
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.records.cell import ZERO_SHOT, Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.task import Split, Task

FEW, MORE = 2, 10
"""Steps of the two cells whose difference is what steps cost."""
_TRAIN, _DEV, _TEST = 960, 32, 512
"""Items that a probe looks at; of the test split, as many languages as have them."""
_OPERATIONS = "floating_point_operations"


@dataclass(frozen=True)
class Probe:
    """What was measured.

    Attributes:
        step_seconds: of an optimiser step.
        item_seconds: of predicting an item.
        fixed_seconds: of a fit without its steps: loading what is not loaded yet is not counted.
        memory_bytes: most memory while fitting and predicting.
    """

    step_seconds: float
    item_seconds: float
    fixed_seconds: float
    memory_bytes: int

    def seconds(self, experiment: Experiment, cell: Cell) -> float:
        """An estimate for one cell, its share in a fit on the sources left out."""
        recipe, task = experiment.setup.recipe, experiment.setup.task
        phase = recipe.target if cell.adapts else recipe.source
        codes = cell.targets if cell.learns_target else cell.sources
        fit = self._fit(recipe, phase, _items(task, codes, "train"), _items(task, codes, "dev"))
        return fit + self.item_seconds * _items(task, cell.targets, "test")

    def source_seconds(self, experiment: Experiment, cell: Cell) -> float:
        """An estimate for the fit on the sources that cells adapt from."""
        recipe, task = experiment.setup.recipe, experiment.setup.task
        return self._fit(recipe, recipe.source, _items(task, cell.sources, "train"), _items(task, cell.sources, "dev"))

    def _fit(self, recipe: Recipe, phase: Phase, train: int, dev: int) -> float:
        steps = phase.total_steps(train, recipe.batch_size) if self.step_seconds else 0
        interval = recipe.evaluate_every or -(-train // recipe.batch_size)
        scored = -(-steps // interval) * min(dev, recipe.dev_limit or dev)
        return self.fixed_seconds + steps * self.step_seconds + scored * self.item_seconds


class Probes:
    """Probes of a store: cells like any other, kept aside of the results, so that each is made once.

    Args:
        store: the folder of Records.
        loader: has the tasks and backbones that are loaded already.
    """

    def __init__(self, store: Path, loader: Loader) -> None:
        self._store = Store(store)
        self._loader = loader

    def probe(self, experiment: Experiment) -> Probe:
        """Seconds and memory, from fits of a few steps on some of the experiment's data; a few seconds.

        What was measured of the same method, backbone and batches on other sources stands for these too.

        Raises:
            MethodError: the method failed.
        """
        store = self._store.aside(f"probes-{experiment.setup.device.replace(':', '-')}")
        template = _template(experiment)
        like = (record.cell for record in store.records()[0] if _cost(record.cell) == _cost(template))
        cells = _budgets(next(like, template), experiment)
        records = self._carry_out(experiment.derived(cells, store, "failed"))
        seconds = [record.timing["fit_seconds"] for record in records]
        step = max(0.0, (seconds[-1] - seconds[0]) / (MORE - FEW))
        return Probe(
            step_seconds=step,
            item_seconds=1.0 / max(records[0].timing["predict_examples_per_second"], 0.1),
            fixed_seconds=max(0.0, seconds[0] - FEW * step),
            memory_bytes=max(record.peak_memory_bytes or 0 for record in records),
        )

    def step_flops(self, experiment: Experiment) -> float:
        """Floating-point operations of a training step, forward and backward, dev evaluations left out.

        Raises:
            MethodError: the method failed, or does no arithmetic that torch counts.
        """
        store = self._store.aside("probes-operations")
        cells = _budgets(_template(experiment), experiment)
        records = self._carry_out(experiment.derived(cells, store, "failed", count_operations=True))
        counts = [int(record.fit[_OPERATIONS]) for record in records]
        flops = (counts[-1] - counts[0]) / (MORE - FEW)
        if flops <= 0:
            raise MethodError(f"method {experiment.setup.label} does no arithmetic that grows with its steps")
        return flops

    def _carry_out(self, experiment: Experiment) -> list[Record]:
        setup = experiment.setup
        if experiment.missing and setup.source is not None:  # loading is paid once a process, not once a fit
            assert self._loader.backbone(setup.source, setup.device, setup.precision).encoder is not None
        records = carry_out(experiment, LocalEngine(pack=1, loader=self._loader))
        failed = [record for record in records if not record.complete]
        if failed:
            raise MethodError(f"a probe of {setup.label} failed: {failed[0].reason}")
        return records


def _template(experiment: Experiment) -> Cell:
    """A cell of the fit on the sources, or on a target alone, with few items; its budget is still to be set.

    A method without a backbone is fitted as it is: all that it costs is one fit.
    """
    cell, task = experiment.cells[0], experiment.setup.task
    targets = tuple(_first_targets(cell, task))
    if not cell.sources:
        return replace(cell, seed=0, targets=targets[:1], shots=_few(targets[:1], cell, task))
    plain = replace(cell, seed=0, protocol=ZERO_SHOT, targets=targets, shots=None)
    return replace(plain, examples=_few(cell.sources, cell, task) or cell.examples)


def _few(codes: tuple[str, ...], cell: Cell, task: Task) -> int | None:
    """A number of examples, where all would be more and steps are counted; None for all."""
    return _TRAIN if cell.recipe is not None and _items(task, codes, "train") > _TRAIN else None


def _first_targets(cell: Cell, task: Task) -> Iterator[str]:
    """As many targets as have the items that a probe predicts."""
    items = 0
    for code in cell.targets:
        if items < _TEST:
            yield code
        items += len(task.split(code, "test"))


def _budgets(template: Cell, experiment: Experiment) -> list[Cell]:
    """The cells of few and of more steps; without steps there is one."""
    if template.recipe is None:
        return [template]
    recipe = replace(experiment.setup.recipe, evaluate_every=10 * MORE, dev_limit=_DEV)
    return [replace(template, recipe=recipe.with_steps(steps).as_json()) for steps in (FEW, MORE)]


def _cost(cell: Cell) -> str:
    """What the seconds of a step depend on."""
    batches = {name: (cell.recipe or {}).get(name) for name in ("batch_size", "max_length", "order")}
    parts = [cell.task_hash, cell.backbone_hash, cell.method, dict(cell.hyperparameters), cell.precision, batches]
    return json.dumps(parts, sort_keys=True, default=str)


def _items(task: Task, codes: tuple[str, ...], split: Split) -> int:
    return sum(len(task.split(code, split)) for code in codes)
