"""Run by `fresh.py` as `python -m xlt_bench.conformance.worker`: inspects methods it has never seen.

Each line on standard input is the path of an inspection; a forked child writes its findings into the inspection's
folder, and its exit code is written to standard output.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.conformance import toy
from xlt_bench.conformance.audit import Audit
from xlt_bench.conformance.inspection import ClassLocation, Findings, Inspection, write_scores
from xlt_bench.conformance.patches import Snapshot, changes, snapshot
from xlt_bench.conformance.randomness import state
from xlt_bench.conformance.toy_resources import toy_resources
from xlt_bench.conformance.worlds import world
from xlt_bench.method import Context, Method
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.methods import load_file

_LONG = 0.5
"""Seconds of processor time after which a constructor does work."""


def inspect_method(inspection: Inspection, originals: Snapshot) -> None:
    """Find out everything that Findings hold; `originals` are the libraries as they were before."""
    audit = Audit()
    sys.addaudithook(audit)
    sys.path[:] = inspection.path
    torch.set_num_threads(inspection.threads)
    findings = Findings()
    method = _construct(_class(inspection.location), inspection, audit, findings)
    findings.fit_error = _error_of(lambda: _fit(method, inspection))
    findings.reached = tuple(audit.reached)
    findings.load_error = _error_of(lambda: _load(method, inspection))
    findings.patched = tuple(changes(originals))
    findings.write(Path(inspection.folder))


def _class(location: ClassLocation) -> Any:
    """The class, imported as a module where that can be found, else from its file."""
    with contextlib.suppress(ImportError, ValueError):  # ValueError: __main__ has no spec
        spec = importlib.util.find_spec(location.module)
        if spec is not None and spec.origin == location.file:
            return getattr(importlib.import_module(location.module), location.name)
    assert location.file is not None, f"module {location.module} has no file"
    return load_file(location.file, location.name)


def _construct(cls: Any, inspection: Inspection, audit: Audit, findings: Findings) -> Method:
    parsed = hyperparameters.parse(cls, inspection.settings, inspection.location.name)
    random_state, started = state(), time.process_time()
    with audit.watching():
        method: Method = cls(**parsed)
    seconds = time.process_time() - started
    extra = sorted(vars(method).keys() - hyperparameters.defaults(cls).keys()) if hasattr(method, "__dict__") else []
    findings.constructor = (
        *audit.actions,
        *([f"takes {seconds:.1f} s"] if seconds > _LONG else []),
        *(["draws from the global random state"] if state() != random_state else []),
        *(f"keeps '{name}', which is no field" for name in extra),
    )
    findings.values = hyperparameters.values(method)
    findings.fingerprint = toy.cell(inspection.method, findings.values).fingerprint
    return method


def _context(method: Method, inspection: Inspection, seed: int) -> Context:
    backbone = None if inspection.backbone is None else Backbone(locate(inspection.backbone))
    recipe = toy.recipe(method, toy.SHORT)
    return Context(
        toy.LABELS,
        seed,
        recipe,
        load_backbone=None if backbone is None else lambda: backbone,
        resources=toy_resources(method, world(0), Path(inspection.folder)),
    )


def _fit(method: Method, inspection: Inspection) -> None:
    fitted = method.fit(toy.items(63, 4), toy.items(21, 5), _context(method, inspection, seed=0))
    fitted.predict(inspection.probes)


def _load(method: Method, inspection: Inspection) -> None:
    if inspection.saved is not None:
        context = _context(method, inspection, seed=99)  # whatever the seed: nothing is drawn anew
        fitted = method.load(Path(inspection.saved), context)
        write_scores(np.asarray(fitted.predict(inspection.probes)), Path(inspection.folder))


def _error_of(call: Any) -> str | None:
    try:
        call()
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return None


def serve() -> None:
    """Carry out inspections until standard input ends."""
    with contextlib.suppress(ImportError):
        import peft  # noqa: F401 - so that it is in the snapshot
    originals, answers = snapshot(), os.dup(1)
    os.dup2(2, 1)  # what a method prints is no answer
    os.write(answers, b"ready\n")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _answer_and_exit(Path(line.strip()), originals)
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _answer_and_exit(file: Path, originals: Snapshot) -> None:
    code = 1
    try:
        inspect_method(Inspection.read(file), originals)
        code = 0
    except BaseException as error:  # the child must not go on as a second server
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
