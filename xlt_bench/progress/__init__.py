"""How a run shows how far it is: bars on a terminal and in a notebook, plain lines elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from xlt_bench.progress.notebook import NotebookDisplay, in_notebook
from xlt_bench.progress.plain import PlainDisplay
from xlt_bench.progress.terminal import TerminalDisplay
from xlt_bench.progress.tracker import Tracker

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Tracker", "console_display", "in_notebook", "notebook_display"]


def console_display(console: Console, label: str = "", runs: int = 0) -> AbstractContextManager[Tracker]:
    """The display for a console, live where it is a terminal; what it yields is the Progress to tell.

    Args:
        console: where to show it.
        label: of the runs, before every line that stays.
        runs: how many there will be; 0: they are not counted.
    """
    return TerminalDisplay(console, label, runs) if console.is_terminal else PlainDisplay(console, label, runs)


def notebook_display(label: str = "", runs: int = 0) -> AbstractContextManager[Tracker]:
    """The display below a cell of a notebook; arguments as for `console_display`."""
    return NotebookDisplay(label, runs)
