"""What a fresh process is asked about a method, and what it finds out: plain data in files of one folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from xlt_bench.conformance.faults import CheckFailed
from xlt_bench.method import Scores
from xlt_bench.task import Example

_INSPECTION, _FINDINGS, _ARRAYS = "inspection.json", "findings.json", ("scores", "fit_scores")


@dataclass(frozen=True)
class ClassLocation:
    """Where a class can be imported from: its module, that module's file, and its name there."""

    module: str
    file: str | None
    name: str


def location_of(cls: type) -> ClassLocation:
    """Where a class can be imported from.

    Raises:
        CheckFailed: its module does not have it under its name (it is defined in a function, say), so that no other
            process can import it.
    """
    module = sys.modules[cls.__module__]
    if getattr(module, cls.__qualname__, None) is not cls:
        raise CheckFailed(f"{cls.__qualname__} cannot be imported elsewhere; define it at the top level of a module")
    file = getattr(module, "__file__", None)
    return ClassLocation(cls.__module__, None if file is None else os.path.abspath(file), cls.__qualname__)


@dataclass(frozen=True)
class Inspection:
    """What a fresh process is asked, as plain data.

    Attributes:
        method: the name under which presets know it.
        settings: hyper-parameters that differ from their defaults, as `--set` takes them.
        backbone: the tiny backbone's folder, None for a method that uses none.
        saved: a folder that the method's `save` wrote, None if there is none.
        probes: the examples to predict.
        threads: of torch, as they are here: other numbers of threads round differently.
        folder: where to answer.
        seed: of the toy's form.
        path: the module search path.
    """

    location: ClassLocation
    method: str
    settings: Mapping[str, str]
    backbone: str | None
    saved: str | None
    probes: tuple[Example, ...]
    threads: int
    folder: str
    seed: int
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))

    def write(self) -> Path:
        """Write it as a JSON file into its folder; the file."""
        file = Path(self.folder) / _INSPECTION
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return file

    @staticmethod
    def read(file: Path) -> Inspection:
        """What `write` wrote."""
        plain = json.loads(file.read_text(encoding="utf-8"))
        probes = tuple(Example(*example) for example in plain.pop("probes"))
        location = ClassLocation(**plain["location"])
        return Inspection(**{**plain, "location": location, "probes": probes, "path": tuple(plain["path"])})


@dataclass
class Findings:
    """What a fresh process found out.

    Attributes:
        values: hyper-parameters of the method built there.
        fingerprint: identity of a run of it.
        constructor: what its constructor did besides keeping its fields.
        fit_error: what a fit and its predictions raised, None if they went well.
        fit_scores: what a fit with seed 1 predicts for the probes.
        reached: network addresses that were asked for.
        changed_state: what of the process is another than before.
        printed: the beginning of what was written to standard output.
        files: files outside the folder that is given to `save` that are there afterwards.
        answers: files and modules with labels or results that were looked at.
        variables: environment variables that the method's own code asked for.
        load_error: what loading the saved folder and predicting raised.
        patched: attributes of torch, transformers and peft, numpy or this package that are no longer the same.
        scores: what the loaded method predicts for the probes.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    fingerprint: str = ""
    constructor: tuple[str, ...] = ()
    fit_error: str | None = None
    reached: tuple[str, ...] = ()
    changed_state: tuple[str, ...] = ()
    printed: str = ""
    files: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    load_error: str | None = None
    patched: tuple[str, ...] = ()
    scores: Scores | None = None
    fit_scores: Scores | None = None

    def write(self, folder: Path) -> None:
        """Write all of it but the scores, which are written where they are computed."""
        plain = {name: value for name, value in asdict(self).items() if name not in _ARRAYS}
        (folder / _FINDINGS).write_text(json.dumps(plain), encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> Findings:
        """What a fresh process wrote into an inspection's folder."""
        plain = json.loads((folder / _FINDINGS).read_text(encoding="utf-8"))
        lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
        files = {name: folder / f"{name}.npy" for name in _ARRAYS}
        arrays = {name: np.load(file, allow_pickle=False) for name, file in files.items() if file.is_file()}
        return Findings(**{**plain, **lists, **arrays})


def write_scores(scores: Scores, name: str, folder: Path) -> None:
    """Write what is predicted into an inspection's folder; `name` is a field of Findings."""
    np.save(folder / f"{name}.npy", scores)
