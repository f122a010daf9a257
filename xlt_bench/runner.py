"""Carries out packs of cells: gives a method its context, turns outcomes and failures into Records in the store."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from xlt_bench.backbone import BackboneSource
from xlt_bench.discovery import ConfiguredMethod
from xlt_bench.errors import MethodError, XltBenchError
from xlt_bench.method import Context, Precision, Progress
from xlt_bench.plan import Cell
from xlt_bench.protocols import Outcome, run_pack, selected_on
from xlt_bench.recipe import Recipe
from xlt_bench.records import Record
from xlt_bench.store import Store
from xlt_bench.task import Task

if TYPE_CHECKING:
    from xlt_bench.training.backbone import Backbone

_PACKAGES = ("xlt-bench", "torch", "transformers", "tokenizers", "numpy", "babel")


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


class Runner:
    """Runs packs of cells of one job; the backbone is loaded once, at its first use."""

    def __init__(self, job: Job, progress: Progress) -> None:
        self._job = job
        self._progress = progress
        self._backbone: Backbone | None = None

    def run(self, cells: Sequence[Cell]) -> list[Record]:
        """Run cells that differ in their seed only, in one pass where the method can; store and return their Records.

        A cell that fails becomes a Record that says so; the others of its pack are run again one by one.
        """
        job = self._job
        try:
            outcomes = run_pack(cells, job.configured.method, job.task, [self._context(cell) for cell in cells])
        except Exception as error:
            if isinstance(error, XltBenchError) and not isinstance(error, MethodError):
                raise  # a wrong configuration or environment: every cell would fail alike
            if len(cells) > 1:
                return [record for cell in cells for record in self.run([cell])]
            return [self._store_failure(cells[0], error)]
        return [self._store_outcome(outcome, cells) for outcome in outcomes]

    def _context(self, cell: Cell) -> Context:
        job = self._job
        return Context(
            labels=job.task.labels,
            seed=cell.seed,
            recipe=job.recipe,
            device=job.device,
            precision=job.precision,
            progress=self._progress,
            load_backbone=self._load_backbone if job.source is not None else None,
        )

    def _load_backbone(self) -> Backbone:
        from xlt_bench.training.backbone import Backbone

        if self._backbone is None:
            assert self._job.source is not None
            self._backbone = Backbone(self._job.source, self._job.device, self._job.precision)
        return self._backbone

    def _base(self, cell: Cell) -> Record:
        job = self._job
        return Record(
            cell=cell,
            label=job.label,
            sources_label=job.sources_label,
            groups={name: codes for name, codes in job.groups.items() if set(codes) & set(cell.targets)},
            status="failed",
            environment=environment(job.device),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _store_outcome(self, outcome: Outcome, cells: Sequence[Cell]) -> Record:
        cell, predictions = outcome.cell, outcome.predictions
        record = replace(
            self._base(cell),
            status="complete",
            accuracy=predictions.accuracy(),
            item_hash=hashlib.sha256(
                "\x1f".join(predictions.language + "\x1e" + predictions.item_id).encode()
            ).hexdigest()[:16],
            selected_on=selected_on(cell) if outcome.fitted.summary.selected_step is not None else "nothing",
            fit=asdict(outcome.fitted.summary),
            timing=_timing(outcome),
            peak_memory_bytes=peak_memory(self._job.device),
            pack=tuple(other.seed for other in cells),
        )
        self._job.store.write(record, predictions, outcome.fitted.save if self._job.save_weights else None)
        return record

    def _store_failure(self, cell: Cell, error: Exception) -> Record:
        known = isinstance(error, MethodError)
        where = "" if known else "".join(traceback.format_exception(error)[-3:])
        message = str(error) if known else f"{type(error).__name__}: {error}\n{where}"
        record = replace(self._base(cell), error=message)
        self._job.store.write(record, None)
        return record


def _timing(outcome: Outcome) -> dict[str, float]:
    return {
        "fit_seconds": round(outcome.fit_seconds, 3),
        "predict_seconds": round(outcome.predict_seconds, 3),
        "predict_examples_per_second": round(len(outcome.predictions) / max(outcome.predict_seconds, 1e-9), 1),
    }


def peak_memory(device: str) -> int:
    """Most memory this process has held so far, in bytes: on the GPU if it uses one, else resident."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated())
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


@lru_cache
def environment(device: str) -> dict[str, str]:
    """Versions and hardware that may change numbers."""
    found = {name: version(name) for name in _PACKAGES}
    found |= {"python": platform.python_version(), "platform": platform.platform(), "device": device}
    found["commit"] = _commit()
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name()
    return found


def _commit() -> str:
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        ["git", "-C", here, "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else "unknown"
