"""Signals by which a scheduler asks a process to leave: they are obeyed where nothing is lost by it."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

STOPPED_EXIT_CODE = 75
"""Of a process that left because it was asked to and goes on when it is started again: EX_TEMPFAIL of sysexits.h."""

STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR2") if hasattr(signal, name)
)  # SIGUSR2 is submitit's warning before a job's time is over; Windows has none


_REPEATS_SECONDS = 10.0
"""Within which a further signal says the same once more."""


class Stopped(SystemExit):
    """The process was asked to leave by a signal; where nobody catches it, Python ends with STOPPED_EXIT_CODE."""

    def __init__(self, stop_signal: signal.Signals) -> None:
        super().__init__(STOPPED_EXIT_CODE)
        self.stop_signal = stop_signal

    def __str__(self) -> str:
        return f"stopped by {self.stop_signal.name}; the same command goes on from here"


class StopSignals:
    """Turns a stop signal into `Stopped` within its `with`: at once, or within `deferred` when that looks for it.

    Further ones change nothing for some seconds: a scheduler may send one to a process and to its parent, which passes
    it on. After that one is obeyed again, since code that catches everything may have swallowed the first.
    Python lets its main thread alone handle signals: in another one a `with` changes nothing.
    """

    def __init__(self) -> None:
        self._request: signal.Signals | None = None
        self._deferred = False
        self._stopped_at = -math.inf
        self._earlier_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._earlier_handlers = {number: signal.signal(number, self._receive) for number in STOP_SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._earlier_handlers.items():
            signal.signal(number, handler)
        self._earlier_handlers = {}

    @property
    def requested(self) -> bool:
        """Whether a signal came that was deferred."""
        return self._request is not None

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within, a signal only sets `requested`, and whoever is within looks at it soon."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
            if self._request is not None:
                self.stop()

    def stop(self) -> NoReturn:
        """Obey a signal that was deferred.

        Raises:
            Stopped: always.
        """
        assert self._request is not None, "a signal came"
        stop_signal, self._request = self._request, None
        self._stopped_at = time.monotonic()
        raise Stopped(stop_signal)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._stopped_at < _REPEATS_SECONDS:
            return
        self._request = signal.Signals(number)
        if not self._deferred:
            self.stop()
