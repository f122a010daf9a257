"""The tasks, by name. A task is imported when it is asked for: listing the names costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from xlt_bench.errors import unknown

if TYPE_CHECKING:
    from xlt_bench.task import TaskInfo

NAMES = ("cldr", "sib200")


def task_names() -> tuple[str, ...]:
    """The names of all tasks, the default one first."""
    return NAMES


def task_info(name: str) -> TaskInfo:
    """What is known of a task before it is loaded; ConfigError with a suggestion for an unknown name."""
    if name not in NAMES:
        raise unknown("task", name, NAMES, "xlt-bench ls tasks")
    info: TaskInfo = import_module(f"xlt_bench.tasks.{name}").INFO
    return info
