"""Outlines of a study: which runs it has, without what carrying them out takes.

To plan a study imports its methods, and with them torch, and reads the task and the backbone, which takes seconds. Who
only looks how far a study is need not do it again: outlines are remembered as long as all that they came from is as it
was. That is every file of every module that was imported, of this program, of the task and of the backbone, and where
Python looks for modules; and what the study and the request say.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import xlt_bench
from xlt_bench.backbones.source import is_on_this_machine
from xlt_bench.io.remembered import Remembered
from xlt_bench.languages.known_groups import LIKE
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.request import Request
from xlt_bench.studies.definition import Study
from xlt_bench.studies.planning import Planned, plan_study

_ENVIRONMENT = ("CUDA", "HIP", "ROCR", "NVIDIA", "HF_", "HOME", "XDG_", "PYTHON", "TORCH", "TRANSFORMERS")
"""Beginnings of the names of environment variables that decide what is read, or which device there is."""
_GPU_DRIVERS = ("nv*", "kfd", "dxg", "dri")
"""In /dev: without torch, which alone knows whether it can use a GPU, they tell that it is another machine."""


@dataclass(frozen=True)
class Outline:
    """A configuration of a study, as far as its runs need not be carried out.

    Attributes:
        method: as tables name it.
        sources: as the study names them.
        fingerprints: of its cells; none where it cannot be.
    """

    method: str
    sources: str
    fingerprints: tuple[str, ...]


def outline_of(planned: Planned) -> Outline:
    """The outline of a planned configuration."""
    method = planned.experiment.setup.label if planned.experiment else planned.method
    return Outline(method, planned.sources, tuple(cell.fingerprint for cell in planned.cells))


def study_outlines(study: Study, base: Request) -> list[Outline]:
    """The outlines of a study's configurations, in its order; as of `plan_study`, and with its errors.

    Args:
        study: what is outlined.
        base: task, backbone, store and so on; what it says goes before what the study says.
    """
    remembered, question, began = Remembered("studies"), _question(study, base), time.time_ns()
    answer = remembered.recall(question)
    if answer is not None:
        return [Outline(part["method"], part["sources"], tuple(part["fingerprints"])) for part in answer]
    loader = Loader()
    planned = plan_study(study, base, loader)
    outlines = [outline_of(configuration) for configuration in planned]
    files = _files(planned)
    if files is not None:
        remembered.keep(question, [asdict(outline) for outline in outlines], files, began)
    return outlines


def _question(study: Study, base: Request) -> str:
    """What the outlines depend on beside files."""
    environment = {name: value for name, value in sorted(os.environ.items()) if name.startswith(_ENVIRONMENT)}
    drivers = sorted(str(path) for pattern in _GPU_DRIVERS for path in Path("/dev").glob(pattern))
    return repr((study, base, os.getcwd(), sys.path, sys.version, platform.node(), environment, drivers))


def _files(planned: Sequence[Planned]) -> list[Path] | None:
    """All files that a plan came from; None where they cannot be named.

    That is so of a task or a backbone of the hub, where a newer one may lie, and where a configuration cannot be: what
    stands in its way may be anything.
    """
    files = [*_program_files()]
    seen: set[tuple[str, Path | None, str]] = set()
    for configuration in planned:
        if configuration.experiment is None:
            return None
        request = configuration.experiment.request
        assert isinstance(request, Request), "a study plans runs"
        files += _named_files(request)
        backbone = configuration.experiment.setup.source
        name = "" if backbone is None else backbone.name
        if (request.task, request.data_dir, name) in seen:
            continue
        seen.add((request.task, request.data_dir, name))
        data = _data_files(configuration.experiment, request)
        if data is None:
            return None
        files += data
    return files


def _program_files() -> Iterator[Path]:
    """Of every module of this process, all of this program, and the folders in which modules are looked for."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield Path(file)
    for folder, _, names in os.walk(Path(xlt_bench.__file__).parent):
        yield from (Path(folder, name) for name in names if not name.endswith(".pyc"))
    yield from map(Path, sys.path)


def _named_files(request: Request) -> Iterator[Path]:
    """Files and folders that a request names beside task and backbone."""
    named = [request.groups_file, *request.resources.values()]
    if request.seen is not None and not request.seen.startswith(LIKE):
        named.append(Path(request.seen))
    for path in filter(None, named):
        yield path
        yield from path.rglob("*")


def _data_files(experiment: Experiment, request: Request) -> list[Path] | None:
    """Of the task and the backbone of an experiment; None where they cannot be named."""
    task_files = Loader().info(request.task).files(request.data_dir)
    backbone = experiment.setup.source
    if task_files is None or (backbone is not None and not is_on_this_machine(backbone.name)):
        return None
    return [*task_files, *(() if backbone is None else (backbone.folder, *backbone.folder.iterdir()))]
