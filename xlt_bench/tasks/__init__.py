"""The tasks: by entry point (see `xlt_bench.plugins.registry`) or by path of a `task.toml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError, DataError, unknown
from xlt_bench.io.paths import in_home, is_file, is_folder
from xlt_bench.io.texts import shortened
from xlt_bench.plugins import registry
from xlt_bench.plugins.registry import TASKS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xlt_bench.task import TaskInfo

DEFAULT = "cldr"
TOML = "task.toml"


def task_names() -> tuple[str, ...]:
    """The names of all installed tasks, the default one first; reads metadata only."""
    return tuple(sorted(registry.names(TASKS), key=lambda name: name != DEFAULT))


def task_info(reference: str) -> TaskInfo:
    """What is known of a task before it is loaded.

    Args:
        reference: a name of `xlt-bench ls tasks`, also as PACKAGE/NAME, the path of a `task.toml`, or the folder that
            has one in it.

    Raises:
        ConfigError: nothing has this name, two packages have it, or the TOML file breaks a rule.
        DataError: the code of an installed task raises on import, does not end, or offers no TaskInfo of its name.
    """
    info = installed(reference)
    if info is not None:
        return info
    path = _toml(reference)
    if path is None:
        raise unknown("task", shortened(reference), task_names(), "xlt-bench ls tasks")
    from xlt_bench.tasks.files import toml_task

    info = toml_task(path)
    if info.name in task_names():
        raise ConfigError(
            f"{path}: an installed task has the name '{info.name}'; give yours another, "
            f"or take that one: --task {info.name}"
        )
    return info


def installed(name: str) -> TaskInfo | None:
    """The installed task of this name; None where there is none. Errors as of `task_info`."""
    entry = registry.find(TASKS, name)
    return None if entry is None else _installed(entry)


def _toml(reference: str) -> Path | None:
    """The TOML file that is meant; None where the reference is a mere name. ConfigError if it is not there."""
    path = in_home(reference)
    if is_folder(path):
        path = path / TOML
    elif os.sep not in reference and path.suffix != ".toml":
        return None
    if not is_file(path):
        raise ConfigError(
            f"no file '{shortened(path, 300)}'; --task takes a name of: xlt-bench ls tasks, path/to/{TOML}, or the "
            "folder that has it"
        )
    return path


def _installed(entry: EntryPoint) -> TaskInfo:
    """The task that an entry point leads to."""
    from xlt_bench.task import TaskInfo

    info = registry.load(TASKS, entry)
    if not isinstance(info, TaskInfo) or info.name != entry.name:
        offered = f"a task '{info.name}'" if isinstance(info, TaskInfo) else type(info).__name__
        raise DataError(
            f"task '{entry.name}': its entry point {entry.value} must lead to a TaskInfo of that name, "
            f"not to {offered}; see docs/adding-a-task.md"
        )
    if entry.value.startswith(f"{__name__}."):
        return info
    from xlt_bench.tasks.checking import guarded

    return guarded(info)
