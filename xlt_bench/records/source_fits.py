"""Fits that runs share: on the sources, kept until the last cell that adapts from one is done, and of languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from xlt_bench.errors import StoreError
from xlt_bench.io.atomic import move_in, sweep, temporary
from xlt_bench.records.claims import Claims


class Fits:
    """What methods saved, one folder a source fit.

    Args:
        folder: made at the first fit.

    Attributes:
        claims: on them.
    """

    def __init__(self, folder: Path, claims: Claims) -> None:
        self._folder = folder
        self.claims = claims

    def folder_of(self, key: str) -> Path:
        """Where a fit lies, or would lie; `key` is `Cell.source_fit`."""
        return self._folder / key

    def has(self, key: str) -> bool:
        """Whether it is there; then it is whole."""
        return self.folder_of(key).is_dir()

    def keep(self, key: str, save: Callable[[Path], None]) -> None:
        """Write a fit, whole or not at all.

        Raises:
            StoreError: the disk does not take it, or another process has taken over the claim on it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self.claims.drafts(key, self._folder) as folder:
                save(folder)
                move_in(folder, self.folder_of(key))
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(
                f"the fit {self.folder_of(key)} cannot be written: {reason}; free space or give another --store"
            ) from error

    def drop(self, keys: Iterable[str]) -> None:
        """Forget fits that nobody needs any more; they can be made again."""
        for key in keys:
            if self.has(key):
                with suppress(OSError), temporary(self._folder) as aside:  # gone at once, not file by file
                    self.folder_of(key).rename(aside / key)
        with suppress(OSError):  # others keep and drop at the same time
            sweep(self._folder)
