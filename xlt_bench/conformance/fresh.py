"""A method in a fresh process: what only shows where nothing has been imported, cached or patched before.

A server process (`worker.py`) imports torch and transformers once and forks a child for every method, so that checking
ten methods does not take ten times the seconds of those imports.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from xlt_bench.conformance.faults import CheckFailed
from xlt_bench.method import Scores
from xlt_bench.task import Example

TOLD, SCORES = "told.json", "scores.npy"
LIMIT = 600.0
"""Seconds that a fresh process may take over one method."""


@dataclass(frozen=True)
class Place:
    """Where a class can be imported from: its module, that module's file, and its name there."""

    module: str
    file: str | None
    name: str


def place_of(cls: type) -> Place:
    """Where a class stands.

    Raises:
        CheckFailed: its module does not have it under its name (it stands in a function, say), so that no other process
            can import it.
    """
    module = sys.modules[cls.__module__]
    if getattr(module, cls.__qualname__, None) is not cls:
        raise CheckFailed(f"{cls.__qualname__} cannot be imported elsewhere; define it at the top level of a module")
    file = getattr(module, "__file__", None)
    return Place(cls.__module__, None if file is None else os.path.abspath(file), cls.__qualname__)


@dataclass(frozen=True)
class Job:
    """What a fresh process is asked, as plain data.

    Attributes:
        method: the name under which presets know it.
        settings: hyper-parameters that differ from their defaults, as `--set` takes them.
        backbone: the tiny backbone's folder, None for a method that uses none.
        saved: a folder that the method's `save` wrote, None if there is none.
        probes: the examples to predict.
        threads: of torch, as they are here: other numbers of threads round differently.
        folder: where to answer.
        path: the module search path.
    """

    place: Place
    method: str
    settings: Mapping[str, str]
    backbone: str | None
    saved: str | None
    probes: tuple[Example, ...]
    threads: int
    folder: str
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))

    def write(self) -> Path:
        """As a JSON file in its folder."""
        file = Path(self.folder) / "job.json"
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return file

    @staticmethod
    def read(file: Path) -> Job:
        """What `write` wrote."""
        plain = json.loads(file.read_text(encoding="utf-8"))
        probes = tuple(Example(*example) for example in plain.pop("probes"))
        return Job(**{**plain, "place": Place(**plain["place"]), "probes": probes, "path": tuple(plain["path"])})


@dataclass
class Told:
    """What a fresh process found out.

    Attributes:
        values: hyper-parameters of the method built there.
        fingerprint: identity of a run of it.
        constructor: what its constructor did besides keeping its fields.
        fit_error: what a fit and its predictions raised, None if they went well.
        reached: network addresses that were asked for.
        load_error: what loading the saved folder and predicting raised.
        patched: attributes of torch, transformers and peft that are no longer the same.
        scores: what the loaded method predicts for the probes.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    fingerprint: str = ""
    constructor: tuple[str, ...] = ()
    fit_error: str | None = None
    reached: tuple[str, ...] = ()
    load_error: str | None = None
    patched: tuple[str, ...] = ()
    scores: Scores | None = None


class FreshProcess:
    """Answers jobs, each in a process that has never seen the method. Close it to end the server.

    Args:
        limit: seconds that a job may take; the server's start is not counted.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._server: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._log: IO[bytes] | None = None
        self._end: Callable[[], object] = _nothing

    def start(self) -> None:
        """Start the server if it is not there, so that its imports run beside other work."""
        if self._server is None or self._server.poll() is not None:
            environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
            environment.pop("PYTHONHASHSEED", None)  # a fresh process hashes text in its own way
            self._end()
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-m", "xlt_bench.conformance.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=environment,
                start_new_session=True,
            )
            self._ready = False
            self._end = weakref.finalize(self, _end, self._server, self._log)

    def close(self) -> None:
        """End the server."""
        self._end()
        self._server = None

    def run(self, job: Job) -> Told:
        """Hand a job over and wait for its answer.

        Raises:
            CheckFailed: the process raised outside the method's calls, died, or took too long.
        """
        self.start()
        server = self._server
        assert server is not None
        assert server.stdin is not None
        assert server.stdout is not None
        self._ready = self._ready or bool(server.stdout.readline())
        if not self._ready:
            raise CheckFailed(f"a fresh process cannot be started: {self._last_line()}")
        server.stdin.write(f"{job.write()}\n".encode())
        server.stdin.flush()
        answered, _, _ = select.select([server.stdout], [], [], self._limit)
        if not answered:
            self.close()
            raise CheckFailed(f"a fresh process did not end within {self._limit:g} s")
        code = server.stdout.readline().decode().strip()
        if code != "0":
            raise CheckFailed(f"a fresh process died ({code or 'no answer'}): {self._last_line()}")
        return _read(Path(job.folder))

    def _last_line(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


def _nothing() -> None:
    """Before a server is started there is none to end."""


def _end(server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)  # with a child that does not end
    for stream in (server.stdin, server.stdout, log):
        if stream is not None:
            stream.close()
    server.wait()


def _read(folder: Path) -> Told:
    plain = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    lists = {name: tuple(plain[name]) for name in ("constructor", "reached", "patched")}
    scores = folder / SCORES
    return Told(**{**plain, **lists, "scores": np.load(scores, allow_pickle=False) if scores.is_file() else None})
