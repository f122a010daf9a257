"""What methods under check are handed beside labelled sources, if they declare it."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from xlt_bench.conformance import toy
from xlt_bench.method import Method
from xlt_bench.resources import RESOURCES, Resources, Scope, contents, needs_of, supplies
from xlt_bench.task import Task


def toy_resources(method: Method, task: Task, folder: Path, form: toy.Toy) -> Resources:
    """The content of each resource that a method declares, for a fit on the toy's sources.

    Args:
        task: the toy, with the sources' and the targets' data.
        folder: in which examples of users' files are written.
        form: of the toy.
    """
    needs = needs_of(method)
    scope = Scope(task, form.sources, form.targets)
    examples = {name: RESOURCES[name].example(scope, Path(mkdtemp(dir=folder))) for name in needs}
    paths = {name: path for name, path in examples.items() if path is not None}
    return contents(supplies(needs, paths, scope))
