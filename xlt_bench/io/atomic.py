"""Folders and files that are there whole or not at all: written under a temporary name, synced, renamed in."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

TEMPORARY = ".tmp-"
_ABANDONED_SECONDS = 86_400
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@contextlib.contextmanager
def temporary(parent: Path) -> Iterator[Path]:
    """A new folder inside `parent`, which is made if need be; it is removed afterwards unless it was renamed."""
    # plain mkdir: tempfile would make what is written unreadable for everybody else
    folder = parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_in(folder: Path, final: Path) -> None:
    """Sync a folder and rename it into place; whatever is there steps aside, also if another process put it there."""
    _sync(folder)
    with temporary(final.parent) as aside:
        while True:
            try:
                folder.rename(final)
                break
            except OSError as error:
                if error.errno not in _OCCUPIED:
                    raise
            with contextlib.suppress(FileNotFoundError):
                final.rename(aside / uuid.uuid4().hex)
    sync_folder(final.parent)


def replace_file(final: Path, content: bytes) -> None:
    """Write a file in place of an older one."""
    draft = final.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        draft.write_bytes(content)
        sync_file(draft)
        draft.replace(final)
        sync_folder(final.parent)
    finally:
        draft.unlink(missing_ok=True)


def sweep(parent: Path) -> None:
    """Remove what killed processes left behind, once nobody can still be writing there."""
    for leftover in parent.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if leftover.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sync_file(path)
    sync_folder(folder)


def sync_file(path: Path) -> None:
    """Make the content of a file last."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
