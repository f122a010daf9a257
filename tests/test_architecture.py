"""The rule of imports: a room imports from rooms below it only, so there is no circle and no arrow back up."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.support import ROOT

ROOMS = (
    "io", "stats", "metrics", "recipe", "task", "resources", "backbones", "languages", "method", "progress", "plugins",
    "tasks", "training", "prompting", "verbaliser", "methods", "records", "adapters", "runs", "engines", "baselines",
    "tuning", "studies", "conformance",
    "leaderboard.data", "leaderboard.board", "leaderboard.render", "leaderboard.compare", "leaderboard.rescore",
    "leaderboard.study", "api", "cli",
)  # fmt: skip
"""Folders, and modules of the contract, the lowest first. `errors.py` and `io` are one room, the ground floor."""

FOLDERS = {
    "xlt_bench": ROOT / "xlt_bench",
    "xlt_bench.methods": ROOT / "methods",
    "xlt_bench.baselines": ROOT / "baselines",
    "xlt_bench.leaderboard": ROOT / "leaderboard",
}


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    named = {}
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            named[".".join([package, *parts]).removesuffix(".__init__")] = path
    return named


MODULES = modules()


def room_of(module: str) -> str:
    """The room of a module: its folder, or its own name where it lies at the root; empty for the root itself."""
    parts = module.split(".")[1:]
    if parts[:1] == ["leaderboard"]:
        return ".".join(parts[:2])
    room = parts[0] if parts else ""
    return {"errors": "io", "__main__": "cli"}.get(room, room)


def imports_of(module: str) -> Iterator[str]:
    """Modules of the package that a module imports anywhere, also for its annotations only."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (above, node.module) if part)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield from (name for name in [inner if inner in MODULES else source] if name in MODULES)


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module in MODULES} - {"", "leaderboard"}
    assert rooms == set(ROOMS)


def test_every_package_is_installed() -> None:
    """A list that forgets one is noticed only by who installs a copy, not by who works on the source."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    packages = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    assert sorted(listed) == sorted(packages)


def test_imports_run_down() -> None:
    height = {room: number for number, room in enumerate(ROOMS)}
    arrows = [(module, imported) for module in MODULES if room_of(module) in height for imported in imports_of(module)]
    assert len(arrows) > 500, "imports are no longer found"
    upward = [
        f"{module} -> {imported}"
        for module, imported in arrows
        if room_of(imported) in height and height[room_of(imported)] > height[room_of(module)]
    ]
    assert not upward


def test_imports_across_rooms_are_absolute() -> None:
    relative = [
        f"{module}: {'.' * node.level}{node.module or ''}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level > 1
    ]
    assert not relative


def test_the_list_in_the_documentation_is_this_one() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    documented = [row.rstrip("/").removesuffix(".py") for row in rows]
    described = {room.partition(".")[0] for room in ROOMS}
    assert [room for room in documented if room in described] == list(
        dict.fromkeys(room.partition(".")[0] for room in ROOMS)
    )
