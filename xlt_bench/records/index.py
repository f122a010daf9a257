"""The index of a store: what was read of its Records before, so that a board of thousands need not read them again.

It lies in the user's cache folder, never in the store, and may be deleted at any time. It is one table, and beside it
smaller ones with what was read since; when these are many, all become one again.

What it says of a Record holds as long as the Record's files have the signature that they had when they were read:
times of change, sizes and numbers of both files. Whatever writes, restores or moves a file changes one of these, even
if the time of its content is set back. So no process has to keep the index right, and several may write it at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from xlt_bench.io import atomic, signatures
from xlt_bench.io.cache import cache_folder
from xlt_bench.records.manifest import MANIFEST
from xlt_bench.records.predictions_file import PREDICTIONS
from xlt_bench.records.record_table import RecordTable, UnreadableTableError
from xlt_bench.records.table_columns import RecordRow
from xlt_bench.records.table_writing import in_order, write_table

_MOST_TABLES = 8
_MOST_STORES = 100


class Index:
    """The index of one store.

    Args:
        store: its folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        name = hashlib.sha256(os.path.realpath(store).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._folder = cache_folder("records") / name
        self._tables: list[RecordTable] | None = None
        self._places: dict[tuple[str, str], tuple[RecordTable, int]] = {}

    def place(self, fingerprint: str, signature: str) -> tuple[RecordTable, int] | None:
        """The table and the number of the row of a Record whose files have this signature now."""
        if self._tables is None:
            self._open()
        return self._places.get((fingerprint, signature))

    def add(self, rows: Iterable[RecordRow]) -> None:
        """Keep what was read just now; where the cache folder cannot be written, the next process reads it again.

        Args:
            rows: in order of fingerprints, with settled signatures (see `is_settled`); perhaps not all are taken.
        """
        if self._tables is None:
            self._open()
        crowded = [*(self._tables or ())] if len(self._tables or ()) >= _MOST_TABLES else []
        with contextlib.suppress(OSError, UnreadableTableError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic.temporary(self._folder) as draft:
                write_table(draft / "rows", in_order(rows, *map(self._living_rows, crowded)))
                # in order of name the younger is the later
                (draft / "rows").rename(self._folder / f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}.parquet")
            for table in crowded:
                table.path.unlink(missing_ok=True)
            atomic.sweep(self._folder)
            _remove_oldest(self._folder.parent)
        self._tables = None

    def discard(self, table: RecordTable) -> None:
        """Remove a table that turned out to be damaged; all that it holds can be read again."""
        with contextlib.suppress(OSError):
            table.path.unlink()
        self._tables = None

    def _open(self) -> None:
        self._tables, self._places = [], {}
        for path in sorted(self._folder.glob("*.parquet")):
            try:
                table = RecordTable(path)
            except UnreadableTableError:
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            self._tables.append(table)
            for fingerprint, row in table.positions.items():
                self._places[fingerprint, table.signatures[row]] = (table, row)

    def _living_rows(self, table: RecordTable) -> Iterator[RecordRow]:
        """The rows of a table whose Records are still as they were read."""
        for fingerprint, row in table.positions.items():
            signature = table.signatures[row]
            is_latest = self._places[fingerprint, signature] == (table, row)
            if is_latest and signature == signature_of(self._store / fingerprint):
                yield table.row(row)


def signature_of(folder: Path | str) -> str:
    """The signature of the files of a Record's folder; empty without a manifest."""
    manifest = signatures.signature_of(f"{folder}/{MANIFEST}")
    return "" if manifest == signatures.ABSENT else f"{manifest} {signatures.signature_of(f'{folder}/{PREDICTIONS}')}"


def is_settled(signature: str) -> bool:
    """Whether files of this signature were changed so long ago that any change from now on would show."""
    return bool(signature) and signatures.are_settled(signature.split())


def _remove_oldest(folder: Path) -> None:
    """Keep the indexes of a hundred stores: nobody says when a store has gone."""
    stores = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in stores[:-_MOST_STORES]:
        shutil.rmtree(path, ignore_errors=True)
