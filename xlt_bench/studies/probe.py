"""What a step costs: seconds, memory and arithmetic of a method, from a fit of a few steps. Kept in the store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xlt_bench.errors import MethodError
from xlt_bench.io.atomic import replace_file
from xlt_bench.method import Context, Fitted, Silent
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.environment import peak_memory, reset_peak_memory
from xlt_bench.runs.experiment import Experiment, Resources
from xlt_bench.studies.arithmetic import floating_point_operations
from xlt_bench.task import Labelled, concatenate
from xlt_bench.tasks.sampling import stratified

FEW, MORE = 2, 10
"""Steps of the two fits whose difference is what steps cost."""
_TRAIN, _DEV, _TEST = 960, 32, 512


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
        recipe, task = experiment.job.recipe, experiment.job.task
        phase = recipe.target if cell.adapts else recipe.source
        data = cell.targets if cell.protocol == "full" else cell.sources
        predicted = sum(len(task.split(code, "test")) for code in cell.targets)
        return self._fit(recipe, phase, _items(experiment, data, "train"), _items(experiment, data, "dev")) + (
            self.item_seconds * predicted
        )

    def source_seconds(self, experiment: Experiment, cell: Cell) -> float:
        """An estimate for the fit on the sources that cells adapt from."""
        recipe = experiment.job.recipe
        counts = (_items(experiment, cell.sources, split) for split in ("train", "dev"))
        return self._fit(recipe, recipe.source, *counts)

    def _fit(self, recipe: Recipe, phase: Phase, train: int, dev: int) -> float:
        steps = phase.total_steps(train, recipe.batch_size) if self.step_seconds else 0
        every = recipe.evaluate_every or -(-train // recipe.batch_size)
        scored = -(-steps // every) * min(dev, recipe.dev_limit or dev)
        return self.fixed_seconds + steps * self.step_seconds + scored * self.item_seconds


class Probes:
    """Probes of a store: measured once for a method, a backbone and a device.

    Args:
        store: the folder of Records; probes lie in it, beside them.
        resources: loaded tasks and backbones.
    """

    def __init__(self, store: Path, resources: Resources) -> None:
        self._folder = store / ".probes"
        self._resources = resources

    def probe(self, experiment: Experiment) -> Probe:
        """Seconds and memory, from a fit of a few steps on some of the experiment's data; a few seconds.

        Raises:
            MethodError: the method failed.
        """
        key = self._key(experiment, "cost", experiment.job.device, ())
        held = self._read(key)
        if held is None:
            held = dataclasses.asdict(self._measured(experiment))
            self._write(key, held)
        return Probe(held["step_seconds"], held["item_seconds"], held["fixed_seconds"], int(held["memory_bytes"]))

    def step_flops(self, experiment: Experiment) -> float:
        """Floating-point operations of a training step, forward and backward, dev evaluations left out.

        Raises:
            MethodError: the method failed, or does no arithmetic that torch counts.
        """
        key = self._key(experiment, "flops", "", experiment.cells[0].sources)
        held = self._read(key)
        if held is None:
            counts = [floating_point_operations(partial(self._fit, experiment, steps)) for steps in (FEW, MORE)]
            held = {"step_flops": (counts[1] - counts[0]) / (MORE - FEW)}
            if held["step_flops"] <= 0:
                raise MethodError(f"method {experiment.job.label} does no arithmetic that grows with its steps")
            self._write(key, held)
        return float(held["step_flops"])

    def _measured(self, experiment: Experiment) -> Probe:
        job = experiment.job
        if job.source is not None:  # loading is paid once a process, not once a fit
            assert self._context(experiment, FEW).backbone.encoder is not None
        reset_peak_memory(job.device)
        seconds = []
        for steps in (FEW, MORE) if job.source is not None else (FEW,):
            started = time.perf_counter()
            fitted = self._fit(experiment, steps)
            seconds.append(time.perf_counter() - started)
        step = max(0.0, (seconds[-1] - seconds[0]) / (MORE - FEW))
        test = concatenate(job.task.split(code, "test") for code in experiment.cells[0].targets).examples[:_TEST]
        started = time.perf_counter()
        fitted.predict(test)
        item = (time.perf_counter() - started) / len(test)
        fixed = max(0.0, seconds[0] - FEW * step)
        return Probe(step, item, fixed, peak_memory(job.device))

    def _fit(self, experiment: Experiment, steps: int) -> Fitted:
        job, cell = experiment.job, experiment.cells[0]
        codes = cell.sources or cell.targets[:1]
        train, dev = (job.task.pool(codes, "train"), job.task.pool(codes, "dev"))
        if job.source is not None:
            train, dev = stratified(train, _TRAIN), stratified(dev, _DEV)
        return _guarded(experiment, train, dev, self._context(experiment, steps))

    def _context(self, experiment: Experiment, steps: int) -> Context:
        job = experiment.job
        recipe = dataclasses.replace(job.recipe.with_steps(steps), evaluate_every=10 * MORE)
        return Context(
            labels=job.task.labels,
            seed=0,
            recipe=recipe,
            device=job.device,
            precision=job.precision,
            progress=Silent(),
            load_backbone=None if job.source is None else lambda: self._resources.backbones.load(job),
        )

    def _key(self, experiment: Experiment, what: str, device: str, sources: tuple[str, ...]) -> str:
        cell = experiment.cells[0]
        identity = [what, device, cell.task_hash, cell.backbone_hash, cell.method, dict(cell.hyperparameters)]
        recipe = {k: v for k, v in (cell.recipe or {}).items() if k in ("batch_size", "max_length", "by_length")}
        text = json.dumps([*identity, recipe, cell.precision, sources], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _read(self, key: str) -> dict[str, float] | None:
        try:
            held: dict[str, float] = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            return {name: float(value) for name, value in held.items()} or None
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def _write(self, key: str, measured: dict[str, float]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._folder / f"{key}.json", json.dumps(measured) + "\n")


def _items(experiment: Experiment, codes: tuple[str, ...], split: str) -> int:
    task = experiment.job.task
    return sum(len(task.split(code, "train" if split == "train" else "dev")) for code in codes)


def _guarded(experiment: Experiment, train: Labelled, dev: Labelled, context: Context) -> Fitted:
    try:
        return experiment.job.configured.method.fit(train, dev, context)
    except Exception as error:
        raise MethodError(f"a trial fit of {experiment.job.label} failed: {type(error).__name__}: {error}") from error
