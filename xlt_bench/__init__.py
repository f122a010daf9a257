"""xlt-bench: which way of tuning transfers best across languages, and is the difference real?

What notebooks and plug-ins import from here. Importing the package stays cheap: each name is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlt_bench.api import Board, Comparison, Runs, compare, leaderboard, run
    from xlt_bench.errors import XltBenchError
    from xlt_bench.method import Context, Fitted, Method
    from xlt_bench.recipe import Rate, Recipe
    from xlt_bench.records.record import Record
    from xlt_bench.runs.request import Request
    from xlt_bench.task import Example, Labelled, Task, TaskInfo

__version__ = "0.1.0"
__all__ = [
    "Board",
    "Comparison",
    "Context",
    "Example",
    "Fitted",
    "Labelled",
    "Method",
    "Rate",
    "Recipe",
    "Record",
    "Request",
    "Runs",
    "Task",
    "TaskInfo",
    "XltBenchError",
    "__version__",
    "compare",
    "leaderboard",
    "run",
]

_MODULES = {
    "xlt_bench.api": ("Board", "Comparison", "Runs", "compare", "leaderboard", "run"),
    "xlt_bench.errors": ("XltBenchError",),
    "xlt_bench.method": ("Context", "Fitted", "Method"),
    "xlt_bench.recipe": ("Rate", "Recipe"),
    "xlt_bench.records.record": ("Record",),
    "xlt_bench.runs.request": ("Request",),
    "xlt_bench.task": ("Example", "Labelled", "Task", "TaskInfo"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'xlt_bench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
