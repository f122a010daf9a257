"""Carries out packs of cells: gives a method its context, turns outcomes and failures into Records in the store."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.errors import MethodError, XltBenchError
from xlt_bench.method import Adaptable, Context, Fitted, Progress
from xlt_bench.plugins.methods import ConfiguredMethod
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.environment import environment, peak_memory, reset_peak_memory
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.protocols import Outcome, calling, fit_source, paced, run_adapted, run_pack, selected_on
from xlt_bench.task import Task

if TYPE_CHECKING:
    from xlt_bench.adapters.start import Start
    from xlt_bench.backbones.backbone import Backbone

METHOD, MADE = "method", "made.json"
"""Of a kept source fit: what the method saved, and how long it took."""


@dataclass(frozen=True)
class Job:
    """Everything that carrying out cells needs and that is no part of their identity."""

    task: Task
    configured: ConfiguredMethod
    label: str
    source: BackboneSource | None
    recipe: Recipe
    device: str
    precision: Precision
    sources_label: str
    groups: dict[str, tuple[str, ...]]
    store: Store
    save_weights: bool = False
    target_label: str = ""
    notes: tuple[str, ...] = ()
    start: Start | None = None
    tuning: Mapping[str, Any] = field(default_factory=dict)


class Backbones:
    """Backbones that are loaded, each at its first use; runners of several jobs may share them."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str, Precision], Backbone] = {}

    def load(self, job: Job) -> Backbone:
        """The backbone of a job that has one."""
        from xlt_bench.backbones.backbone import Backbone

        assert job.source is not None, "a method without a backbone asks for none"
        key = (job.source.fingerprint, job.device, job.precision)
        if key not in self._loaded:
            self._loaded[key] = Backbone(job.source, job.device, job.precision)
        return self._loaded[key]


class Runner:
    """Runs packs of cells of one job.

    Args:
        job: what they have in common.
        progress: is told of steps and dev evaluations.
        backbones: those that are loaded already.
    """

    def __init__(self, job: Job, progress: Progress, backbones: Backbones | None = None) -> None:
        self.job = job
        self._progress = progress
        self._backbones = backbones or Backbones()
        self._source: tuple[str, Adaptable, float] | None = None
        self._failed_fits: dict[str, BaseException] = {}

    def run(self, cells: Sequence[Cell]) -> list[Record]:
        """Run cells in one pass where the method can; store and return their Records.

        They differ in their seed only or, if they adapt, in their target only. A cell that fails becomes a Record that
        says so; if it took its whole pack down with it, the others are run again one by one.
        """
        reset_peak_memory(self.job.device)
        try:
            outcomes = self._outcomes(cells)
        except (Exception, SystemExit) as error:
            if _concerns_all(error):
                raise
            if len(cells) > 1:
                return [record for cell in cells for record in self.run([cell])]
            return [self._store_failure(cells[0], error)]
        return [
            self._store_failure(cell, outcome)
            if isinstance(outcome, MethodError)
            else self._store_outcome(outcome, cells)
            for cell, outcome in zip(cells, outcomes, strict=True)
        ]

    def fit_source(self, cell: Cell) -> None:
        """Make and keep the fit on the sources that a cell adapts from; a failure is that of the cell, later."""
        key = cell.source_fit
        started = time.perf_counter()
        try:
            fitted = fit_source(cell, self.job.configured.method, self.job.task, self._context(cell, self.job.recipe))
            seconds = time.perf_counter() - started
            self.job.store.fits.keep(key, lambda folder: _keep(fitted, seconds, folder))
        except (Exception, SystemExit) as error:
            if _concerns_all(error):
                raise
            self._failed_fits[key] = error

    def has_source(self, cell: Cell) -> bool:
        """Whether the fit that a cell adapts from is there, or known to fail."""
        return cell.source_fit in self._failed_fits or self.job.store.fits.has(cell.source_fit)

    def _outcomes(self, cells: Sequence[Cell]) -> list[Outcome | MethodError]:
        method, task = self.job.configured.method, self.job.task
        contexts = [self._context(cell, paced(self.job.recipe, cell, task)) for cell in cells]
        if not cells[0].adapts:
            return run_pack(cells, method, task, contexts)
        return run_adapted(cells, self._source_of(cells[0]), task, contexts)

    def _source_of(self, cell: Cell) -> Adaptable:
        """The fit that a cell adapts from, as it was kept: a resumed run starts where an undisturbed one does."""
        if self._source is None or self._source[0] != cell.source_fit:
            if not self.job.store.fits.has(cell.source_fit):  # another process was done with it and dropped it
                self.fit_source(cell)
            if cell.source_fit in self._failed_fits:
                raise self._failed_fits[cell.source_fit]
            try:
                self._source = self._load_source(cell)
            except (OSError, MethodError):
                if self.job.store.fits.has(cell.source_fit):
                    raise
                return self._source_of(cell)  # dropped while it was read
        return self._source[1]

    def _load_source(self, cell: Cell) -> tuple[str, Adaptable, float]:
        folder = self.job.store.fits.folder_of(cell.source_fit)
        seconds = json.loads((folder / MADE).read_text(encoding="utf-8"))["seconds"]
        with calling("load"):
            fitted = self.job.configured.method.load(folder / METHOD, self._context(cell, self.job.recipe))
        assert isinstance(fitted, Adaptable), "checked when it was fitted"
        return cell.source_fit, fitted, seconds

    def _context(self, cell: Cell, recipe: Recipe) -> Context:
        job = self.job
        return Context(
            labels=job.task.labels,
            seed=cell.seed,
            recipe=recipe,
            device=job.device,
            precision=job.precision,
            progress=self._progress,
            load_backbone=partial(self._backbones.load, job) if job.source is not None else None,
        )

    def _base(self, cell: Cell) -> Record:
        job = self.job
        return Record(
            cell=cell,
            label=_label(job, cell),
            sources_label=job.sources_label,
            groups={name: codes for name, codes in job.groups.items() if set(codes) & set(cell.targets)},
            labels=job.task.labels,
            status="failed",
            tuning=job.tuning,
            environment=environment(job.device),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            caveats=(job.start.caveat,) if job.start else (),
        )

    def _store_outcome(self, outcome: Outcome, cells: Sequence[Cell]) -> Record:
        cell, predictions = outcome.cell, outcome.predictions.clustered(self.job.task.clusters)
        record = replace(
            self._base(cell),
            status="complete",
            accuracy=predictions.accuracy(),
            item_hash=predictions.item_hash(),
            selected_on=selected_on(cell) if outcome.fitted.summary.selected_step is not None else "nothing",
            fit=_plain(asdict(outcome.fitted.summary)),
            timing=_timing(outcome) | self._source_timing(cell),
            peak_memory_bytes=peak_memory(self.job.device),
            pack=tuple(other.seed for other in cells),
        )
        try:
            self.job.store.write(record, predictions, _saving(outcome.fitted) if self.job.save_weights else None)
        except MethodError as error:
            return self._store_failure(cell, error)
        return record

    def _source_timing(self, cell: Cell) -> dict[str, float]:
        """Seconds of the fit that a cell shares with all that adapt from it."""
        return {"source_fit_seconds": round(self._source[2], 3)} if cell.adapts and self._source else {}

    def _store_failure(self, cell: Cell, error: BaseException) -> Record:
        known = isinstance(error, MethodError)
        cause = error.__cause__ if known else error
        where = "" if cause is None else "\n" + "".join(traceback.format_exception(cause)[-3:])
        message = str(error) if known else f"{type(error).__name__}: {error}"
        record = replace(self._base(cell), error=message + where)
        self.job.store.write(record, None)
        return record


def _label(job: Job, cell: Cell) -> str:
    """The job's label, with how a cell adapts and how many labelled examples it has, where that is not the usual."""
    told = [job.target_label] if cell.protocol == "full" and job.target_label else []
    told += [f"{cell.examples} examples"] if cell.examples is not None else []
    told += [f"{cell.shots} shots"] if cell.shots is not None else []
    return ", ".join([job.label, *told])


def _concerns_all(error: BaseException) -> bool:
    """Whether a wrong configuration or environment is at fault, so that every cell would fail alike."""
    return isinstance(error, XltBenchError) and not isinstance(error, MethodError)


def _keep(fitted: Fitted, seconds: float, folder: Path) -> None:
    (folder / METHOD).mkdir()
    _saving(fitted)(folder / METHOD)
    (folder / MADE).write_text(json.dumps({"seconds": seconds}), encoding="utf-8")


def _saving(fitted: Fitted) -> Callable[[Path], None]:
    """`fitted.save`, whose own faults are the method's and not the store's."""

    def save(folder: Path) -> None:
        with calling("save"):
            fitted.save(folder)

    return save


def _plain(value: Any) -> Any:
    """As JSON has it: a method may have put numpy numbers into its summary, and NaN where it has no number."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _timing(outcome: Outcome) -> dict[str, float]:
    return {
        "fit_seconds": round(outcome.fit_seconds, 3),
        "predict_seconds": round(outcome.predict_seconds, 3),
        "predict_examples_per_second": round(len(outcome.predictions) / max(outcome.predict_seconds, 1e-9), 1),
    }
