"""Checkpoints of fits of a pack or a language: the store's files, what was counted, and who may go on from them."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

import xlt_bench
import xlt_bench.methods
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Context, Method, Snapshot
from xlt_bench.records.checkpoints import CheckpointFiles, Unusable
from xlt_bench.runs.counting import Counter

SHARE = 0.02
"""Of the time of a fit that writing its checkpoints may take."""


@dataclass
class PackCheckpoints:
    """See `Checkpoints` in `xlt_bench/method.py`.

    Attributes:
        files: of the store.
        program: see `program_identity`.
        counter: of what the fits take.
        seconds: from one checkpoint to the next at the latest.
        stop_signals: by which a scheduler asks to leave.
        share: of the fits' time that writing may take.
    """

    files: CheckpointFiles
    program: str
    counter: Counter
    seconds: float
    stop_signals: StopSignals
    share: float = SHARE
    _trainings: Tally[str] = field(default_factory=Tally)
    _started: float = field(default_factory=time.perf_counter)
    _earlier_seconds: float = 0.0

    def next_name(self, fit: str) -> str:
        """The fit's name and the number of the training in it."""
        number = self._trainings[fit]
        self._trainings[fit] += 1
        return f"{fit}-{number}"

    def read(self, name: str, context: Context) -> Snapshot | None:
        """The checkpoint of a training; None where there is none that can be used, which is said."""
        fit, _, number = name.rpartition("-")
        content = self.files.read(fit, int(number), self.program)
        if isinstance(content, Unusable):
            context.progress.note(f"the checkpoint {name} {content.reason}; the fit begins anew")
            return None
        return content

    def write(self, name: str, snapshot: Snapshot) -> None:
        """Keep this in place of an older one."""
        fit, _, number = name.rpartition("-")
        self.files.write(fit, int(number), snapshot, self.program)

    def counted(self) -> Mapping[str, float]:
        """Passes, texts and seconds up to now."""
        return {**self.counter.totals(), "seconds": self.fit_seconds}

    def updates(self, parameters: Sequence[Tensor]) -> list[int]:
        """How often each of these parameters was updated up to now."""
        return self.counter.updates(parameters)

    def count_earlier(self, counted: Mapping[str, float], updates: Sequence[tuple[Tensor, int]]) -> None:
        """Add what fits took before they were cut off."""
        self.counter.add(counted, updates)
        self._earlier_seconds += counted.get("seconds", 0.0)

    @property
    def fit_seconds(self) -> float:
        """Since the fits began, and what they took before they were cut off."""
        return time.perf_counter() - self._started + self._earlier_seconds


@dataclass(frozen=True)
class Checkpointing:
    """How the fits of a run are kept while they are under way.

    Attributes:
        program: see `program_identity`.
        minutes: from one checkpoint to the next at the latest; None: none are written or read.
        stop_signals: by which a scheduler asks to leave.
    """

    program: str
    minutes: int | None
    stop_signals: StopSignals

    def of_pack(self, files: CheckpointFiles, counter: Counter) -> PackCheckpoints:
        """Of a pack whose fits begin now; they tell the seconds that these take, whether they are kept or not."""
        return PackCheckpoints(files, self.program, counter, 60.0 * (self.minutes or 0), self.stop_signals)

    def kept(self, context: Context, fit: str, checkpoints: PackCheckpoints) -> Context:
        """The context of a fit that is kept while it is under way, if any is."""
        return context if self.minutes is None else replace(context, checkpoints=checkpoints, fit=fit)


def program_identity(method: Method, device: str) -> str:
    """Of what goes on from a checkpoint: this program's code, the method's, torch, and the kind of device."""
    parts = [_program_hash(), _file_hash(method), torch.__version__, torch.device(device).type]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _file_hash(method: Method) -> str:
    """Of the file of a method's class, which may be another package's."""
    with suppress(OSError, TypeError):
        return hashlib.sha256(Path(inspect.getfile(type(method))).read_bytes()).hexdigest()
    return ""


@cache
def _program_hash() -> str:
    """Of all code of this program that may play a part in a fit."""
    digest = hashlib.sha256()
    for package in (xlt_bench, xlt_bench.methods):
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
