"""Text files from outside: UTF-8, read whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.io.reading import read_limited
from xlt_bench.io.texts import reason

Fault = Callable[[Path, int, str], DataError]
"""Path, line and what is wrong there -> the error."""

LARGEST = 4 << 30
"""Bytes of a file, unpacked; a packed file may claim to hold more than a disk."""


def read_text(path: Path, fault: Fault) -> str:
    """The text of a file, unpacked where its name ends with `.gz`; without the mark that some editors begin files with.

    Raises:
        DataError: it cannot be read, is larger than `LARGEST`, or is not UTF-8 (the line is named).
    """
    try:
        content = read_limited(path, LARGEST, packed=path.suffix == ".gz")
    except (OSError, ValueError, EOFError, zlib.error) as error:
        why = reason(error) if isinstance(error, OSError | ValueError) else str(error)
        raise DataError(f"cannot read {path}: {why}; it must be readable for you") from error
    if len(content) > LARGEST:
        raise DataError(f"{path} has more than {LARGEST >> 30} GiB; split it into several files")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise fault(path, line, f"byte {error.start} is not UTF-8") from None
