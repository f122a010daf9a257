"""What pyproject.toml declares is what the code imports, and the other way round."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROOMS = ("xlt_bench", "methods", "baselines", "leaderboard")
BROUGHT_BY = {"pandas": "datasets", "tokenizers": "transformers"}
HOSTS = {"IPython", "_pytest", "pytest"}
"""Imported only where the program runs inside them."""


def imported_modules(file: Path) -> Iterator[str]:
    """Top-level names of what a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def declared(requirements: list[str]) -> set[str]:
    """Names of distributions in requirements."""
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}  # type: ignore[index]


def test_every_dependency_is_declared_and_every_declared_one_is_used() -> None:
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    modules = {module for file in files for module in imported_modules(file)}
    modules -= {"xlt_bench", *HOSTS, *sys.stdlib_module_names}
    distributions = {BROUGHT_BY.get(module, module) for module in modules}
    extras = PROJECT["optional-dependencies"]
    used = [requirement for name, extra in extras.items() if name not in ("docs", "test") for requirement in extra]
    assert distributions == declared(PROJECT["dependencies"]) | declared(used)


def test_versions_in_the_constraints_meet_the_lower_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    requirements = PROJECT["dependencies"] + [
        text for extra in PROJECT["optional-dependencies"].values() for text in extra
    ]
    for requirement in requirements:
        name, lowest = requirement.split(">=")
        versions = ([int(part) for part in version.split(".")] for version in (lowest, pinned[name.partition("[")[0]]))
        assert next(versions) <= next(versions), requirement


def test_citation_has_the_version_of_the_package() -> None:
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
