"""A notebook: the same bars as HTML below the cell, without widgets."""

from __future__ import annotations

import sys
import time
from html import escape
from types import TracebackType
from typing import Any

from xlt_bench.progress.lines import ProgressLine
from xlt_bench.progress.tracker import Tracker

_EVERY = 0.25
"""Seconds between two redraws."""


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class NotebookDisplay:
    """One output of the cell, replaced as the run goes on; fits that are over stay above the bars.

    Args:
        label: of the runs, its heading.
        runs: how many there will be; 0: they are not counted.
    """

    def __init__(self, label: str = "", runs: int = 0) -> None:
        self._label = label
        self._tracker = Tracker(self, runs)
        self._finished: list[str] = []
        self._handle: Any = None
        self._drawn = 0.0

    def __enter__(self) -> Tracker:
        from IPython.display import HTML, display

        self._handle = display(HTML(self.html()), display_id=True)
        return self._tracker

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker.close()
        self._draw()

    def changed(self) -> None:
        """Redraw, where the last time is long enough ago."""
        if time.monotonic() - self._drawn >= _EVERY:
            self._draw()

    def evaluated(self, line: ProgressLine) -> None:
        """The next redraw shows it."""

    def fitted(self, line: ProgressLine) -> None:
        """Keep a line."""
        self._finished.append(line.text(with_time_left=False))

    def note(self, text: str) -> None:
        """Keep a line."""
        self._finished.append(text)

    def html(self) -> str:
        """Heading, lines that stay, bars."""
        heading = [f"<b>{escape(self._label)}</b>"] if self._label else []
        rows = [*heading, *map(escape, self._finished), *map(_bar, self._tracker.lines())]
        return '<div style="line-height:1.5">' + "<br>".join(rows) + "</div>"

    def _draw(self) -> None:
        from IPython.display import HTML

        self._drawn = time.monotonic()
        self._handle.update(HTML(self.html()))


def _bar(line: ProgressLine) -> str:
    value = "" if line.total is None else f' value="{line.completed}" max="{line.total}"'
    return f"{escape(line.name)} <progress{value}></progress> {escape(line.facts())}"
