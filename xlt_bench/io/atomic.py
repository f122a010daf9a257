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
def temporary(parent: Path, *, parents: bool = True) -> Iterator[Path]:
    """A new folder inside `parent`; it is removed afterwards unless it was renamed.

    Args:
        parent: any folder.
        parents: make it if need be.
    """
    # plain mkdir: tempfile would make what is written unreadable for everybody else
    folder = parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    folder.mkdir(parents=parents)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_in(folder: Path, final: Path) -> None:
    """Sync a folder and rename it into place; whatever is there steps aside, also if another process put it there.

    It steps aside to where the folder was, so that nothing at all is moved once that place is taken away.
    """
    _sync(folder)
    with temporary(folder.parent, parents=False) as aside:
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


@contextlib.contextmanager
def replacing(final: Path, draft_folder: Path | None = None) -> Iterator[Path]:
    """The path of a draft, which takes the place of a file at once where the block ends without an error.

    Args:
        final: the file; its folder is there.
        draft_folder: where the draft lies, on the same file system; None: beside the file.
    """
    draft = (draft_folder or final.parent) / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        yield draft
        sync_file(draft)
        draft.replace(final)
        sync_folder(final.parent)
    finally:
        draft.unlink(missing_ok=True)


def replace_file(final: Path, content: bytes) -> None:
    """Write a file in place of an older one."""
    with replacing(final) as draft:
        draft.write_bytes(content)


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
