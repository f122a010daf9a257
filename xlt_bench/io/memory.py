"""Memory that a process has freed and its C library keeps."""

from __future__ import annotations

import ctypes
import sys


def give_back_freed_memory() -> None:
    """Return freed memory to the operating system where the C library is GNU's, which else keeps most of it."""
    if not sys.platform.startswith("linux"):
        return
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if malloc_trim is not None:
        malloc_trim(0)
