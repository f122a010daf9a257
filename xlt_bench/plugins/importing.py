"""Other people's modules, imported under a watch: an import that does not end is said, and ended where that can be."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from xlt_bench.errors import XltBenchError

NOTICE, LIMIT = 10.0, 120.0
"""Seconds after which an import is said to be still under way, and after which it is given up."""


class _TooLong(BaseException):
    """Not an Exception, so that the plug-in's own `except Exception` does not swallow it."""


@contextmanager
def watched(
    module: str, worker: str, fault: type[XltBenchError], notice: float = NOTICE, limit: float = LIMIT
) -> Iterator[None]:
    """Say on standard error that an import takes long, and give it up at the limit.

    It is nothing to be alarmed about: the first import of PyTorch from a cold disk takes as long.

    It is ended by a signal, so only in the main thread, where nobody else uses that signal, and only while Python code
    or a call that signals interrupt is running; elsewhere it is said, and Ctrl-C is the way out.

    Args:
        module: what is being imported, for the messages.
        worker: the function of it that may take time.
        fault: the class of the error when the limit is reached.
        notice, limit: seconds.

    Raises:
        XltBenchError: the limit is reached.
    """
    speaker = threading.Timer(notice, _say, (module, notice))
    speaker.daemon = True
    speaker.start()
    try:
        with _alarm(limit):
            yield
    except _TooLong:
        raise fault(
            f"importing {module} did not end within {limit:g} s; an import must only define things: "
            f"move what takes time into {worker}"
        ) from None
    finally:
        speaker.cancel()


def _say(module: str, seconds: float) -> None:
    print(f"still importing {module}, for {seconds:g} s so far (Ctrl-C stops it)", file=sys.stderr, flush=True)


@contextmanager
def _alarm(limit: float) -> Iterator[None]:
    free = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if not free or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def too_long(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
