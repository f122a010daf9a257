"""What `xlt-bench ls methods` and `ls engines` print: plain columns, which need neither rich nor any plug-in."""

from __future__ import annotations

import ast
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from xlt_bench.io.texts import clean
from xlt_bench.plugins.registry import ENGINES, METHODS, PACKAGE, Kind, entries, package_of

_WIDTH = 100
"""Characters of a summary."""


def plugin_list(kind: Kind) -> str:
    """What packages offer of a kind, and what each does; a line each, under a head.

    No plug-in is imported: summaries are read from the source of shipped ones. Of others the class is named.
    """
    rows = [(kind.noun, "package", "what it does")]
    rows += [(clean(entry.name), clean(package_of(entry)), clean(_summary(entry))) for entry in entries(kind)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join(
        [*lines, *(["In full, with hyper-parameters: xlt-bench ls methods NAME"] if kind is METHODS else [])]
    )


def _summary(entry: EntryPoint) -> str:
    """The first sentence of the class; of the module, where its class has the module to itself."""
    if package_of(entry) != PACKAGE:
        return entry.value
    if entry.group == ENGINES.group:  # to look for their modules would import what they import
        path = Path(__file__).parents[1].joinpath(*entry.module.split(".")[1:]).with_suffix(".py")
        return _sentence(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or entry.value)
    module = _parsed(entry.module)
    siblings = {sibling.value for sibling in entry_points(group=entry.group) if sibling.module == entry.module}
    node = next((part for part in module.body if isinstance(part, ast.ClassDef) and part.name == entry.attr), None)
    summaries = _summaries(module)
    if entry.attr in summaries:  # a class that the module makes while it is imported
        return summaries[entry.attr]
    text = ast.get_docstring(module if node is None or len(siblings) == 1 else node) or entry.value
    return _sentence(text)


def _sentence(text: str) -> str:
    """The first paragraph in a line, cut between words."""
    sentence = " ".join(text.split("\n\n")[0].split())
    return sentence if len(sentence) <= _WIDTH else sentence[: _WIDTH - 4].rpartition(" ")[0] + " ..."


def _summaries(module: ast.Module) -> dict[str, str]:
    """The table `SUMMARIES` of a module, from class to sentence; empty where it has none."""
    for node in module.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["SUMMARIES"]:
            table: dict[str, str] = ast.literal_eval(node.value)
            return table
    return {}


@cache
def _parsed(module: str) -> ast.Module:
    """The source of a shipped module; finding it imports no more than its package, which holds nothing."""
    spec = find_spec(module)
    origin = None if spec is None else spec.origin
    assert origin is not None, "the package's own entry points lead to its own files"
    return ast.parse(Path(origin).read_text(encoding="utf-8"))
