"""Leases: folders that say who works on what, on any file system that renames folders at once.

`<claims>/<key>/<token>/` is the lease of one owner; a key has one at most, because a folder is renamed only onto a name
that is free or an empty folder. Its owner gives a sign of life every few seconds, and prepares what it publishes inside
its lease: a rename out of it succeeds as long as the lease stands. Who takes a lease over renames it away, which one
process can, and from then on nothing that its former owner does can be published.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from xlt_bench.io.atomic import TEMPORARY
from xlt_bench.io.texts import shortened

BEAT_SECONDS = 10.0
"""Between two signs of life of an owner."""

_OWNER, _BEAT, _LOCK = "owner.json", "beat", "lock"
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_LOCKED = (errno.EAGAIN, errno.EACCES)


@dataclass(frozen=True, order=True)
class Owner:
    """The process that holds a lease.

    Attributes:
        since: when it claimed, as a person reads it.
        silent_seconds: since its last sign of life, where it is overdue; else 0.
    """

    host: str
    process_id: int
    since: str
    silent_seconds: int = field(default=0, compare=False)

    def __str__(self) -> str:
        silence = f", not heard of for {self.silent_seconds} s" if self.silent_seconds else ""
        return f"process {self.process_id} on {shortened(self.host)} since {shortened(self.since)}{silence}"


@dataclass(frozen=True)
class Lease:
    """A lease of this process; `lock` is the handle of its lock, None where the file system has none."""

    folder: Path
    lock: int | None

    @staticmethod
    def take(claims: Path, key: str) -> Lease | None:
        """Take a lease that nobody has; None where another process was quicker.

        Raises:
            OSError: the folder cannot be written.
        """
        token = uuid.uuid4().hex
        draft = claims / f"{TEMPORARY}{token}"
        folder = draft / token
        folder.mkdir(parents=True)
        (folder / _LOCK).touch()
        lock = _lock(folder / _LOCK)
        owner = {"host": platform.node(), "machine": _machine(), "process_id": os.getpid(), "locked": lock is not None}
        owner["since"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        (folder / _OWNER).write_text(json.dumps(owner) + "\n", encoding="utf-8")
        (folder / _BEAT).touch()
        try:
            draft.rename(claims / key)
        except OSError as error:
            _close(lock)
            shutil.rmtree(draft, ignore_errors=True)
            if error.errno in _OCCUPIED:
                return None
            raise
        return Lease(claims / key / token, lock)

    @property
    def stands(self) -> bool:
        """Whether nobody has taken it over."""
        return self.folder.is_dir()

    def beat(self) -> None:
        """Give a sign of life."""
        with suppress(OSError):  # it was taken over, or the file system is away for a while
            os.utime(self.folder / _BEAT)

    def give_back(self) -> None:
        """End it; where it was taken over, nothing of the new owner's is touched."""
        _remove(self.folder)
        _close(self.lock)


@contextmanager
def heartbeat(leases: Sequence[Lease], seconds: float) -> Iterator[None]:
    """Within, leases show signs of life from a thread: also while a step takes long, but not of a stopped process."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(seconds):
            for lease in leases:
                lease.beat()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass(frozen=True)
class ForeignLease:
    """A lease as other processes see it.

    Attributes:
        folder: of the lease.
        beat: when its owner gave the last sign of life, in nanoseconds of the file system's clock.
        age: seconds since then.
        ended: its process has ended for certain.
        owner: whose it is; None where that cannot be read.
    """

    folder: Path
    beat: int
    age: float
    ended: bool
    owner: Owner | None

    def remove(self) -> None:
        """Take it from its owner; one of several processes that try succeeds, and the others change nothing."""
        _remove(self.folder)


def read_lease(claims: Path, key: str) -> ForeignLease | None:
    """The lease on a key; None where there is none."""
    try:
        folders = [path for path in (claims / key).iterdir() if not path.name.startswith(TEMPORARY)]
        folder = folders[0]
        with (folder / _BEAT).open("rb") as file:  # opened, so that a network file system asks its server
            beat = os.fstat(file.fileno()).st_mtime_ns
    except (OSError, IndexError):
        return None
    try:
        plain = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
        owner = Owner(str(plain["host"]), int(plain["process_id"]), str(plain["since"]))
        is_local, locked = plain["machine"] == _machine(), bool(plain["locked"])
    except (OSError, ValueError, KeyError, TypeError):
        owner, is_local, locked = None, False, False
    # locks cross no network file system for certain: what one says counts on the machine that took it
    ended = is_local and locked and _is_unlocked(folder / _LOCK)
    return ForeignLease(folder, beat, _now(claims) - beat / 1e9, ended, owner)


def _remove(folder: Path) -> None:
    """Rename a lease away and delete it, and with it the folder of its key where that is empty."""
    aside = folder.parent.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    with suppress(OSError):  # somebody else did
        folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(OSError):  # the next owner is there
        folder.parent.rmdir()


def _lock(path: Path) -> int | None:
    """The handle of a lock on a new file; None where the file system has no locks."""
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _is_unlocked(path: Path) -> bool:
    """Whether whoever locked a file has ended."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _close(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _now(claims: Path) -> float:
    """Seconds by the clock that signs of life are stamped with, which may be that of a file server."""
    probe = claims / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:  # a store that is only read
        return time.time()
    finally:
        with suppress(OSError):
            probe.unlink()


@cache
def _machine() -> str:
    """This machine since its last start; its name, where the system does not tell more."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return platform.node()
