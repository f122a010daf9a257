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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import xlt_bench.backbones.lean  # noqa: F401  (what else a fit imports late: once here, not in every child)
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.conformance import toy
from xlt_bench.conformance.audit import Audit
from xlt_bench.conformance.elsewhere import elsewhere, printed_to
from xlt_bench.conformance.inspection import ClassLocation, Findings, Inspection, write_scores
from xlt_bench.conformance.patches import Snapshot, changes, snapshot
from xlt_bench.conformance.process_state import differences, process_state
from xlt_bench.conformance.random_state import state
from xlt_bench.conformance.surroundings import shift_clock, watch_environment
from xlt_bench.conformance.toy_languages import toy_languages
from xlt_bench.conformance.toy_resources import toy_resources
from xlt_bench.conformance.worlds import world
from xlt_bench.method import Context, Method
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.methods import load_file

_SAVED, _RESOURCES = "saved", "resources"
"""Folders of an inspection: what the method saves there, and examples of users' files."""
_LONG = 0.5
"""Seconds of processor time after which a constructor does work."""


def inspect_method(inspection: Inspection, originals: Snapshot) -> None:
    """Find out everything that Findings hold; `originals` are the libraries as they were before."""
    audit, folder, findings = Audit(), Path(inspection.folder), Findings()
    sys.addaudithook(audit)
    sys.path[:] = inspection.path
    (folder / _RESOURCES).mkdir()
    torch.set_num_threads(inspection.threads)
    shift_clock()
    environment = watch_environment(_plugin(inspection.location))
    form, backbone = toy.Toy(inspection.seed), _backbone(inspection)
    with elsewhere(folder / "elsewhere") as place, printed_to(folder / "printed"):
        first_state, earlier = process_state(), len(audit.written)
        method = _construct(_class(inspection.location), inspection, audit, findings)
        fit_context, load_context = (_context(method, inspection, seed, form, backbone) for seed in (1, 99))
        with audit.watching():
            findings.fit_error = _error_of(lambda: _fit(method, inspection, fit_context, form))
            findings.load_error = _error_of(lambda: _load(method, inspection, load_context))
        findings.changed_state = tuple(differences(first_state, process_state()))
        findings.files = tuple(place.files_left(audit.written[earlier:], _own_files(folder)))
    findings.printed = (folder / "printed").read_text(encoding="utf-8", errors="replace")[:100]
    findings.reached, findings.answers = tuple(audit.reached), tuple(audit.answers)
    findings.variables = tuple(dict.fromkeys(environment.asked))
    findings.patched = tuple(changes(originals))
    findings.write(folder)


def _plugin(location: ClassLocation) -> str:
    """The folder of the method's own top-level package, or its file where it lies in none."""
    assert location.file is not None, f"module {location.module} has no file"
    packages = location.module.count(".")
    return f"{Path(location.file).parents[packages - 1]}{os.sep}" if packages else location.file


def _own_files(folder: Path) -> list[Path]:
    """What is written by the inspection itself, or into the folder that is given to `save`."""
    return [folder / name for name in (_SAVED, _RESOURCES, "scores.npy", "fit_scores.npy")]


def _backbone(inspection: Inspection) -> Backbone | None:
    """Loaded at once: what loading does to the process is no method's doing."""
    if inspection.backbone is None:
        return None
    backbone = Backbone(locate(inspection.backbone))
    assert (backbone.causal_lm if backbone.architecture.is_causal else backbone.encoder) is not None
    assert backbone.tokenizer is not None
    return backbone


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


def _context(method: Method, inspection: Inspection, seed: int, form: toy.Toy, backbone: Backbone | None) -> Context:
    task = world(0, form=form)
    context = Context(
        form.labels,
        seed,
        toy.recipe(method, toy.SHORT),
        load_backbone=None if backbone is None else lambda: backbone,
        resources=toy_resources(method, task, Path(inspection.folder) / _RESOURCES, form),
    )
    return replace(context, languages=toy_languages(method, task, context, form))


def _fit(method: Method, inspection: Inspection, context: Context, form: toy.Toy) -> None:
    fitted = method.fit(form.items(63, 4), form.items(21, 5), context)
    write_scores(np.asarray(fitted.predict(inspection.probes)), "fit_scores", Path(inspection.folder))
    folder = Path(inspection.folder) / _SAVED
    folder.mkdir()
    fitted.save(folder)


def _load(method: Method, inspection: Inspection, context: Context) -> None:
    """Under another seed than it was fitted with: nothing is drawn anew."""
    if inspection.saved is not None:
        fitted = method.load(Path(inspection.saved), context)
        write_scores(np.asarray(fitted.predict(inspection.probes)), "scores", Path(inspection.folder))


def _error_of(call: Any) -> str | None:
    try:
        call()
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return None


def serve() -> None:
    """Carry out inspections until standard input ends."""
    with contextlib.suppress(ImportError):
        import peft  # noqa: F401 - so that it is in the snapshot, as is what scores
    importlib.import_module("xlt_bench.runs.runner")
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
