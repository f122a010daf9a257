"""Claims: which process works on what, so that several can share a store without doing anything twice.

A claim is a lock of the operating system on a small file. It ends with its process, however that ends. Beside it lies
a file that says whose it is; where a process was killed that file stays, and nobody believes it.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from xlt_bench.errors import StoreError
from xlt_bench.io.texts import shortened


@dataclass(frozen=True, order=True)
class Owner:
    """The process that holds a claim.

    Attributes:
        since: when it claimed, as a person reads it.
    """

    host: str
    process_id: int
    since: str

    def __str__(self) -> str:
        return f"process {self.process_id} on {shortened(self.host)} since {shortened(self.since)}"


class Claims:
    """Claims inside a folder, by key.

    Args:
        folder: made at the first claim.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[list[str]]:
        """Claim what nobody else holds, without waiting; the keys that are claimed until the block ends.

        Raises:
            StoreError: the folder cannot be written.
        """
        with ExitStack() as stack:
            yield [key for key in keys if self._take(key, stack)]

    def held(self, key: str) -> bool:
        """Whether a process, this one included, holds a claim."""
        if not self._lock_file(key).exists():
            return False
        with self.hold([key]) as claimed:
            return not claimed

    def owner(self, key: str) -> Owner | None:
        """Who holds a claim; None where nobody does, or it is not said (yet, or by another version)."""
        if not self.held(key):
            return None
        try:
            plain = json.loads(self._owner_file(key).read_text(encoding="utf-8"))
            return Owner(str(plain["host"]), int(plain["process_id"]), str(plain["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _take(self, key: str, stack: ExitStack) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(self._lock_file(key), timeout=0))
            owner_file = self._owner_file(key)
            stack.callback(owner_file.unlink, missing_ok=True)  # before the lock is released, so never another's
            # not in the lock's own file, which is emptied by whoever tries to lock it
            owner_file.write_text(json.dumps(asdict(_this_process())) + "\n", encoding="utf-8")
        except Timeout:
            return False
        except OSError as error:
            raise StoreError(
                f"no claim can be written in {self._folder}: {error.strerror or error}; give another store: --store DIR"
            ) from error
        return True

    def _lock_file(self, key: str) -> Path:
        return self._folder / f"{key}.lock"

    def _owner_file(self, key: str) -> Path:
        return self._folder / f"{key}.owner"


def _this_process() -> Owner:
    return Owner(platform.node(), os.getpid(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
