"""What the shell offers as values of an option. It runs at each press of a key, so it imports no method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import typer

from xlt_bench.errors import XltBenchError
from xlt_bench.recipe import PRESETS

Complete = Callable[[typer.Context, str], list[str]]
"""From the command so far, and what is typed of the value, to what the value may become."""


def completer(kind: str) -> Complete:
    """What completes a value: `methods`, `tasks`, `engines`, `groups` (an expression), `presets`, `studies`."""
    complete: dict[str, Complete] = {
        "methods": _methods,
        "tasks": _tasks,
        "engines": _engines,
        "groups": _groups,
        "presets": _presets,
        "studies": _studies,
    }
    return complete[kind]


def _methods(context: typer.Context, typed: str) -> list[str]:
    from xlt_bench.plugins.registry import METHODS, names

    return _beginning(typed, names(METHODS))


def _tasks(context: typer.Context, typed: str) -> list[str]:
    from xlt_bench.plugins.registry import TASKS, names

    return _beginning(typed, names(TASKS))


def _engines(context: typer.Context, typed: str) -> list[str]:
    from xlt_bench.plugins.registry import ENGINES, names

    return _beginning(typed, names(ENGINES))


def _groups(context: typer.Context, typed: str) -> list[str]:
    """The last name of an expression such as `seen+jos`; groups are those of the task and backbone given before."""
    from xlt_bench.tasks import DEFAULT, task_info

    try:
        info = task_info(context.params.get("task") or DEFAULT)
        groups = info.groups(context.params.get("backbone") or info.backbone)
    except XltBenchError:  # the command will say it
        return []
    names = _beginning(typed, groups)  # names of groups hold hyphens, which are operators too
    begun = re.fullmatch(r"(.*[+,-])([^+,-]*)", typed)
    return names or ([] if begun is None else [begun[1] + name for name in _beginning(begun[2], groups)])


def _presets(context: typer.Context, typed: str) -> list[str]:
    return _beginning(typed, PRESETS)


def _studies(context: typer.Context, typed: str) -> list[str]:
    from xlt_bench.studies.catalogue import study_names

    return _beginning(typed, study_names())


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(typed)]
