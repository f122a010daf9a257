"""Temporary folders that outlive no process: what one that was killed left is removed when the next makes its own.

The owner of a folder holds a lock of the operating system on a file in it, which ends with the process however it ends.
A process id would not do: another container may have the same one, or another process by now.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = "owner.lock"


@contextmanager
def process_folder(prefix: str) -> Iterator[Path]:
    """A folder among temporary files that this user alone can read; removed when the block ends.

    Args:
        prefix: of its name; folders of the same prefix whose processes are gone are removed first.
    """
    _remove_abandoned(prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        draft = Path(name, "draft.lock")
        with draft.open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            draft.rename(Path(name, _LOCK))  # others look at no folder without it
            yield Path(name)


def _remove_abandoned(prefix: str) -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_LOCK}"):
        with suppress(OSError):  # locked, removed meanwhile, or another user's
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path.parent, ignore_errors=True)
            finally:
                os.close(lock)
