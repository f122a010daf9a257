"""Claims: which process works on what, so that several can share a store without doing anything twice.

A claim is a lock of the operating system on a small file. It ends with its process, however that ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xlt_bench.errors import StoreError


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
        if not self._path(key).exists():
            return False
        with self.hold([key]) as claimed:
            return not claimed

    def _take(self, key: str, stack: ExitStack) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(self._path(key), timeout=0))
        except Timeout:
            return False
        except OSError as error:
            raise StoreError(
                f"no claim can be written in {self._folder}: {error.strerror or error}; give another store: --store DIR"
            ) from error
        return True

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.lock"
