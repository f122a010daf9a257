"""The pack of a store: one file with Records that nobody changes any more, in place of a folder each.

A Record that has a folder too is the one of the folder, also where that cannot be read: what changes a packed Record
writes it anew, and may be a newer version.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.io.texts import reason, shortened
from xlt_bench.records.claims import Claims
from xlt_bench.records.record_table import RecordTable, UnreadableTableError
from xlt_bench.records.table_columns import RecordRow
from xlt_bench.records.table_writing import write_table

PACK = "records.parquet"
_WAY_OUT = "restore it from a copy, or remove it and run its cells again"


class Pack:
    """The pack of one store.

    Args:
        store: its folder; it may have no pack.
        claims: of the store.
    """

    def __init__(self, store: Path, claims: Claims) -> None:
        self.path = store / PACK
        self._store = store
        self._claims = claims
        self._signature: tuple[int, ...] | None = None
        self._table: RecordTable | None = None

    def table(self) -> RecordTable | None:
        """What is packed now; None where nothing is.

        Raises:
            StoreError: the file is damaged.
        """
        while (signature := self._signature_now()) != self._signature:
            try:
                self._table = None if signature is None else RecordTable(self.path)
            except UnreadableTableError as error:
                if self._signature_now() != signature:
                    continue  # another process replaced or removed it just now
                raise StoreError(f"{error}; {_WAY_OUT}") from error
            self._signature = signature
        return self._table

    def is_as_opened(self) -> bool:
        """Whether the file is still the one that `table` opened last."""
        return self._signature_now() == self._signature

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around whatever reads the table: StoreError where it is damaged."""
        try:
            yield
        except UnreadableTableError as error:
            raise StoreError(f"{error}; {_WAY_OUT}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While no other process replaces the pack: one of this machine is waited for, another machine's is not.

        Raises:
            StoreError: the store cannot be written, or a process of another machine replaces the pack.
        """
        try:
            self._store.mkdir(parents=True, exist_ok=True)
            # the lock may not reach processes of other machines; the claim does
            with FileLock(self._store / f".{PACK}.lock"), self._claims.hold([PACK]) as claimed:
                if not claimed:
                    owner = self._claims.owner(PACK) or "another process"
                    raise StoreError(f"{owner} is replacing {self.path}; nothing is lost: do it again afterwards")
                yield
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {reason(error)}; nothing is lost") from error

    def replace(self, rows: Iterable[RecordRow], check: Callable[[RecordTable], None] | None = None) -> None:
        """Put another pack in place of this one, whole or not at all; one without rows is none. Only while locked.

        Args:
            rows: of the new pack.
            check: is called with what was written, and raises where it is not what it should be.

        Raises:
            OSError: the disk does not take it, and nothing has changed.
            StoreError: it is not the one that `table` opened any more, and nothing has changed.
        """
        with self._claims.drafts(PACK, self._store) as draft:
            write_table(draft / PACK, rows)
            written = RecordTable(draft / PACK)
            if check is not None:
                check(written)
            atomic.sync_file(draft / PACK)
            if not self.is_as_opened():  # as where this process stood still for long and lost its claim
                raise StoreError(f"{self.path} was replaced by another process meanwhile; nothing is lost: do it again")
            if len(written):
                (draft / PACK).replace(self.path)
            else:
                self.path.unlink(missing_ok=True)
        atomic.sync_folder(self._store)

    def remove(self, fingerprints: set[str]) -> None:
        """Take Records out of the pack, where they are in it. Only while locked.

        Raises:
            StoreError: it cannot be read, or another process replaced it.
            OSError: the disk does not take it, and nothing has changed.
        """
        with self.reading():
            table = self.table()
            if table is None or not fingerprints & table.positions.keys():
                return
            remaining = [row for name, row in table.positions.items() if name not in fingerprints]
            self.replace(map(table.row, remaining))

    def _signature_now(self) -> tuple[int, ...] | None:
        try:
            facts = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            name = shortened(self.path, 300)
            raise StoreError(f"{name} cannot be read: {reason(error)}; give another: --store DIR") from error
        return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino
