"""What is said of workers that ended early, and of the runs that were not made for it."""

from __future__ import annotations

from collections.abc import Sequence

from xlt_bench.errors import EngineError
from xlt_bench.progress.lines import counted

_LISTED = 3


def worker_fault(worker: str, code: int, complaint: str) -> str:
    """How the worker of a job or a GPU ended, in a line.

    Args:
        worker: whose it was.
        code: its exit code, negative for a signal.
        complaint: the last thing it said; empty where that was nothing.
    """
    last_line = f" and said: {complaint}" if complaint else ""
    return f"the worker of {worker} ended with code {code}{last_line}"


def not_made(runs: int, faults: Sequence[str]) -> EngineError:
    """The error of so many runs that were not made; of many faults that differ it names the first."""
    distinct = list(dict.fromkeys(faults))
    more = f"; and {len(distinct) - _LISTED} more" if len(distinct) > _LISTED else ""
    return EngineError(
        f"{counted(runs, 'run')} not made: {'; '.join(distinct[:_LISTED])}{more}; the same command goes on with them"
    )
