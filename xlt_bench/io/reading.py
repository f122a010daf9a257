"""Files from outside, read whole: no more than a limit, and no pipe or device, which might never end."""

from __future__ import annotations

import errno
import gzip
from pathlib import Path

from xlt_bench.io.paths import is_file, is_there

_BLOCK = 1 << 24
"""Bytes that are read at once: a larger piece would be laid out in memory before the first byte arrives."""


def read_limited(path: Path, largest: int, packed: bool = False) -> bytes:
    """The content of a file; one byte more than `largest` where it has more.

    Args:
        packed: whether it is unpacked by gzip; the limit is of what comes out.

    Raises:
        OSError: it cannot be read, or is no regular file.
        ValueError, EOFError, zlib.error: a name that no file can have, or a damaged archive.
    """
    if is_there(path) and not is_file(path):
        raise OSError(errno.EINVAL, "it is no regular file")
    blocks: list[bytes] = []
    size = 0
    with path.open("rb") as file, gzip.open(file) if packed else file as content:
        while size <= largest and (block := content.read(min(_BLOCK, largest + 1 - size))):
            blocks.append(block)
            size += len(block)
    return b"".join(blocks)
