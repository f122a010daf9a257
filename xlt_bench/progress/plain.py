"""Plain lines, for logs and pipes: dev evaluations, finished work, and a sign of life where nothing else is printed."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from xlt_bench.progress.lines import ProgressLine
from xlt_bench.progress.tracker import Tracker

if TYPE_CHECKING:
    from rich.console import Console

FIRST_SILENCE, LATER_SILENCE = 10.0, 30.0
"""Seconds of silence before the first sign of life, and before each further one."""


class PlainDisplay:
    """Prints lines; never more than FIRST_SILENCE, then LATER_SILENCE seconds without one.

    See `console_display` for the arguments.
    """

    def __init__(
        self,
        console: Console,
        label: str = "",
        runs: int = 0,
        first_silence: float = FIRST_SILENCE,
        later_silence: float = LATER_SILENCE,
    ) -> None:
        self._console = console
        self._prefix = f"{label} " if label else ""
        self._tracker = Tracker(self, runs)
        self._silences = (first_silence, later_silence)
        self._printed = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._break_silence, name="progress", daemon=True)

    def __enter__(self) -> Tracker:
        self._thread.start()
        return self._tracker

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._tracker.close()

    def changed(self) -> None:
        """Print nothing."""

    def evaluated(self, line: ProgressLine) -> None:
        """Print it."""
        self._print(line.text())

    def fitted(self, line: ProgressLine) -> None:
        """Print nothing: its last evaluation stands there."""

    def note(self, text: str) -> None:
        """Print it."""
        self._print(text)

    def _print(self, text: str) -> None:
        self._printed = time.monotonic()
        self._console.print(f"{self._prefix}{text}")

    def _break_silence(self) -> None:
        silence, later_silence = self._silences
        while not self._over.wait(max(0.01, self._printed + silence - time.monotonic())):
            lines = self._tracker.lines()
            if time.monotonic() - self._printed < silence:
                continue
            if not lines:  # nothing goes on that could be told: ask again after a while
                self._printed = time.monotonic()
                continue
            silence = later_silence
            for line in lines:
                self._print(line.text())
