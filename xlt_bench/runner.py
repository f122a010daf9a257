"""Carries out packs of cells: gives a method its context, turns outcomes and failures into Records in the store."""

from __future__ import annotations

import errno
import math
import platform
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.backbone import BackboneSource, Precision
from xlt_bench.discovery import ConfiguredMethod
from xlt_bench.errors import MethodError, XltBenchError
from xlt_bench.method import Context, Fitted, Progress
from xlt_bench.plan import Cell
from xlt_bench.protocols import Outcome, run_pack, selected_on
from xlt_bench.recipe import Recipe
from xlt_bench.records import Record
from xlt_bench.store import Store
from xlt_bench.task import Task

if TYPE_CHECKING:
    from xlt_bench.training.backbone import Backbone

_PACKAGES = ("xlt-bench", "torch", "transformers", "tokenizers", "numpy", "babel")
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


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
        except (Exception, SystemExit) as error:
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
            item_hash=predictions.item_hash(),
            selected_on=selected_on(cell) if outcome.fitted.summary.selected_step is not None else "nothing",
            fit=_plain(asdict(outcome.fitted.summary)),
            timing=_timing(outcome),
            peak_memory_bytes=peak_memory(self._job.device),
            pack=tuple(other.seed for other in cells),
        )
        try:
            self._job.store.write(record, predictions, _saving(outcome.fitted) if self._job.save_weights else None)
        except MethodError as error:
            return self._store_failure(cell, error)
        return record

    def _store_failure(self, cell: Cell, error: BaseException) -> Record:
        known = isinstance(error, MethodError)
        where = "" if known else "".join(traceback.format_exception(error)[-3:])
        message = str(error) if known else f"{type(error).__name__}: {error}\n{where}"
        record = replace(self._base(cell), error=message)
        self._job.store.write(record, None)
        return record


def _saving(fitted: Fitted) -> Callable[[Path], None]:
    """`fitted.save`, whose own faults are the method's and not the store's."""

    def save(folder: Path) -> None:
        try:
            fitted.save(folder)
        except (Exception, SystemExit) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                raise
            raise MethodError(f"save raises {type(error).__name__}: {error}") from error

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
    found = {name: _version(name) for name in _PACKAGES}
    found |= {"python": platform.python_version(), "platform": platform.platform(), "device": device}
    found["commit"] = _commit()
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name()
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit of this code; `unknown` where it is not under git, also if it is installed inside another project."""
    here = Path(__file__)
    if _git("-C", str(here.parent), "ls-files", "--error-unmatch", here.name) is None:
        return "unknown"
    return _git("-C", str(here.parent), "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError:  # no git on this machine
        return None
    return done.stdout.strip() if done.returncode == 0 else None
