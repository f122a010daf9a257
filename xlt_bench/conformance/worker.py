"""Run by `fresh.py` as `python -m xlt_bench.conformance.worker`: answers jobs about methods it has never seen.

Each line on standard input is the path of a job; a forked child answers it in a file of the job's folder, and its exit
code is written to standard output.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.conformance import toy
from xlt_bench.conformance.fresh import SCORES, TOLD, Job, Place, Told
from xlt_bench.conformance.patches import Snapshot, changes, snapshot
from xlt_bench.conformance.randomness import state
from xlt_bench.method import Context, Method
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.methods import load_file

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
_STARTS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork")
_CODE = (".py", ".pyc", ".so")
_LONG = 0.5
"""Seconds of processor time after which a constructor does work."""


class Audit:
    """An audit hook: refuses the network, and takes note of files and processes while it is told to."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.seen: list[str] = []
        self._watching = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK and not _is_local(arguments):
            self.reached.append(" ".join(str(part) for part in arguments if not isinstance(part, socket.socket)))
            raise OSError("no network while a method is checked")
        if self._watching and event == "open" and not str(arguments[0]).endswith(_CODE):
            self.seen.append(f"opens {arguments[0]}")
        if self._watching and event in _STARTS:
            self.seen.append("starts a process")

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Take note of what happens within."""
        self._watching = True
        try:
            yield
        finally:
            self._watching = False


def _is_local(arguments: tuple[Any, ...]) -> bool:
    return isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX


def answer(job: Job, before: Snapshot) -> None:
    """Find out everything that a Told holds."""
    audit = Audit()
    sys.addaudithook(audit)
    sys.path[:] = job.path
    torch.set_num_threads(job.threads)
    told = Told()
    cls = _class(job.place)
    method = _construct(cls, job, audit, told)
    told.fit_error = _try(lambda: _fit(method, job))
    told.reached = tuple(audit.reached)
    told.load_error = _try(lambda: _load(method, job))
    told.patched = tuple(changes(before))
    plain = {name: value for name, value in asdict(told).items() if name != "scores"}
    (Path(job.folder) / TOLD).write_text(json.dumps(plain), encoding="utf-8")


def _class(place: Place) -> Any:
    """The class, imported as a module where that can be found, else from its file."""
    with contextlib.suppress(ImportError, ValueError):  # ValueError: __main__ has no spec
        spec = importlib.util.find_spec(place.module)
        if spec is not None and spec.origin == place.file:
            return getattr(importlib.import_module(place.module), place.name)
    assert place.file is not None, f"module {place.module} has no file"
    return load_file(place.file, place.name)


def _construct(cls: Any, job: Job, audit: Audit, told: Told) -> Method:
    parsed = hyperparameters.parse(cls, job.settings, job.place.name)
    before, started = state(), time.process_time()
    with audit.watching():
        method: Method = cls(**parsed)
    seconds = time.process_time() - started
    kept = sorted(vars(method).keys() - hyperparameters.defaults(cls).keys()) if hasattr(method, "__dict__") else []
    told.constructor = (
        *audit.seen,
        *([f"takes {seconds:.1f} s"] if seconds > _LONG else []),
        *(["draws from the global random state"] if state() != before else []),
        *(f"keeps '{name}', which is no field" for name in kept),
    )
    told.values = hyperparameters.values(method)
    told.fingerprint = toy.cell(job.method, told.values).fingerprint
    return method


def _context(method: Method, job: Job, seed: int) -> Context:
    backbone = None if job.backbone is None else Backbone(locate(job.backbone))
    recipe = toy.recipe(method, toy.SHORT)
    return Context(toy.LABELS, seed, recipe, load_backbone=None if backbone is None else lambda: backbone)


def _fit(method: Method, job: Job) -> None:
    fitted = method.fit(toy.items(63, 4), toy.items(21, 5), _context(method, job, seed=0))
    fitted.predict(job.probes)


def _load(method: Method, job: Job) -> None:
    if job.saved is not None:
        fitted = method.load(
            Path(job.saved), _context(method, job, seed=99)
        )  # whatever the seed: nothing is drawn anew
        np.save(Path(job.folder) / SCORES, np.asarray(fitted.predict(job.probes)))


def _try(call: Any) -> str | None:
    try:
        call()
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return None


def serve() -> None:
    """Answer jobs until standard input ends."""
    with contextlib.suppress(ImportError):
        import peft  # noqa: F401 - so that it is in the snapshot
    before, answers = snapshot(), os.dup(1)
    os.dup2(2, 1)  # what a method prints is no answer
    os.write(answers, b"ready\n")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _answer_and_exit(Path(line.strip()), before)
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _answer_and_exit(file: Path, before: Snapshot) -> None:
    code = 1
    try:
        answer(Job.read(file), before)
        code = 0
    except BaseException as error:  # the child must not go on as a second server
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
