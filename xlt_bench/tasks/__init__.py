"""The tasks: by entry point (the shipped ones too) or by path of a `task.toml`. Listing the names imports none.

A name belongs to one package: where two offer it, neither is taken silently, and `PACKAGE/NAME` says which is meant.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError, DataError, MethodError, XltBenchError, unknown

if TYPE_CHECKING:
    from xlt_bench.task import TaskInfo

GROUP = "xlt_bench.tasks"
DEFAULT = "cldr"
TOML = "task.toml"


def task_entries() -> tuple[EntryPoint, ...]:
    """Entry points of all installed tasks, the default one first, then by name; reads metadata only."""
    found = dict.fromkeys(entry_points(group=GROUP))
    return tuple(sorted(found, key=lambda entry: (entry.name != DEFAULT, entry.name, entry.value)))


def task_names() -> tuple[str, ...]:
    """The names of all installed tasks, the default one first."""
    return tuple(dict.fromkeys(entry.name for entry in task_entries()))


def task_info(reference: str) -> TaskInfo:
    """What is known of a task before it is loaded.

    Args:
        reference: a name of `xlt-bench ls tasks`, also as PACKAGE/NAME, the path of a `task.toml`, or the folder that
            has one in it.

    Raises:
        ConfigError: nothing has this name, two packages have it, or the TOML file breaks a rule.
        DataError: the code of an installed task raises on import, does not end, or offers no TaskInfo of its name.
    """
    found = [entry for entry in task_entries() if reference in (entry.name, _qualified(entry))]
    if found:
        return _installed(reference, found)
    path = _toml(reference)
    if path is None:
        raise unknown("task", reference, task_names(), "xlt-bench ls tasks")
    from xlt_bench.tasks.files import toml_task

    info = toml_task(path)
    if info.name in task_names():
        raise ConfigError(
            f"{path}: an installed task has the name '{info.name}'; give yours another, "
            f"or take that one: --task {info.name}"
        )
    return info


def _toml(reference: str) -> Path | None:
    """The TOML file that is meant; None where the reference is a mere name. ConfigError if it is not there."""
    path = Path(reference).expanduser()
    if path.is_dir():
        path = path / TOML
    elif os.sep not in reference and path.suffix != ".toml":
        return None
    if not path.is_file():
        raise ConfigError(
            f"no file '{path}'; --task takes a name of: xlt-bench ls tasks, path/to/{TOML}, or the folder that has it"
        )
    return path


def _qualified(entry: EntryPoint) -> str:
    """`package/name`, which no other package's task has."""
    return f"{entry.dist.name if entry.dist else entry.module.partition('.')[0]}/{entry.name}"


def _installed(reference: str, found: Sequence[EntryPoint]) -> TaskInfo:
    """The task of the one entry point that answers to a reference."""
    from xlt_bench.task import TaskInfo

    entry = found[0]
    if len({other.value for other in found}) > 1:
        told = " and ".join(f"{_qualified(other)} ({other.value})" for other in found)
        raise ConfigError(f"two packages offer a task '{reference}': {told}; say which: --task {_qualified(entry)}")
    info = _imported(entry)
    if not isinstance(info, TaskInfo) or info.name != entry.name:
        what = f"a task '{info.name}'" if isinstance(info, TaskInfo) else type(info).__name__
        raise DataError(
            f"task '{entry.name}': its entry point {entry.value} must lead to a TaskInfo of that name, not to {what}; "
            "see docs/adding-a-task.md"
        )
    if entry.value.startswith(f"{__name__}."):
        return info
    from xlt_bench.tasks.checking import guarded

    return guarded(info)


def _imported(entry: EntryPoint) -> object:
    """What an entry point leads to; DataError if its module raises or does not end."""
    from xlt_bench.plugins.importing import watched

    shown = f"task '{entry.name}' ({entry.value})"
    try:
        with watched(shown):
            return entry.load()
    except MethodError as error:
        raise DataError(
            f"importing {shown} does not end; a module must only define things, and load is what reads data"
        ) from error
    except XltBenchError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(
            f"{shown} cannot be imported: {type(error).__name__}: {error}; mend or uninstall its package"
        ) from error
