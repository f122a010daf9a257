"""A terminal: bars for what goes on, above them a line for every fit that is over."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from xlt_bench.progress.lines import ProgressLine
from xlt_bench.progress.tracker import Tracker

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_BAR = 16
"""Characters of a bar."""


class TerminalDisplay:
    """Redrawn four times a second, so that times go on even if nobody tells anything.

    See `console_display` for the arguments.
    """

    def __init__(self, console: Console, label: str = "", runs: int = 0) -> None:
        from rich.live import Live

        self._console = console
        self._label = label
        self._tracker = Tracker(self, runs)
        self._live = Live(console=console, get_renderable=self._bars, transient=True, refresh_per_second=4)

    def __enter__(self) -> Tracker:
        if self._label:
            self._console.print(f"{self._label}:")
        self._live.start()
        return self._tracker

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracker.close()
        self._live.stop()

    def changed(self) -> None:
        """The next redraw shows it."""

    def evaluated(self, line: ProgressLine) -> None:
        """The next redraw shows it."""

    def fitted(self, line: ProgressLine) -> None:
        """Leave a line, so that the display stays as high as there are fits in progress."""
        self._console.print(line.text(with_time_left=False))

    def note(self, text: str) -> None:
        """Leave a line."""
        self._console.print(text)

    def _bars(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        for line in self._tracker.lines():
            bar = ProgressBar(line.total, line.completed, width=_BAR, pulse=line.total is None)
            table.add_row(Text(line.name), bar, Text(line.facts()))
        return table
