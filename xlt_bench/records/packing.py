"""Packing a store and undoing it. Nothing is removed before what stands for it was written, synced and read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.io.paths import is_folder, is_there
from xlt_bench.records.index import signature_of
from xlt_bench.records.manifest import MANIFEST, Damaged, manifest_text, read_manifest
from xlt_bench.records.predictions_file import (
    PREDICTIONS,
    SheetReader,
    UnreadablePredictionsError,
    write_predictions,
)
from xlt_bench.records.record_table import RecordTable
from xlt_bench.records.store import Store
from xlt_bench.records.table_columns import RecordRow
from xlt_bench.records.table_writing import in_order


@dataclass
class PackOutcome:
    """What packing or undoing it did.

    Attributes:
        moved: Records that were in folders and are in the pack now; or the other way round.
        skipped: folder -> why it stays as it is.
    """

    moved: int = 0
    skipped: dict[Path, str] = field(default_factory=dict)


def pack(store: Store) -> PackOutcome:
    """Put the Records of a store into its pack, but for those with weights, and those that cannot be read.

    Raises:
        StoreError: the disk does not take it, and the store is as it was; or the pack is damaged.
    """
    outcome = PackOutcome()
    with store.pack.locked(), store.pack.reading():
        atomic.sweep(store.folder)
        table = store.pack.table()
        candidates = [folder for folder in store.folders() if _may_be_packed(folder, outcome)]
        copied: dict[str, _Taken] = {}
        if candidates:
            rows = _rows(table, candidates, copied, outcome)
            store.pack.replace(rows, lambda written: _check(written, copied))
            outcome.moved = _remove(store, copied, outcome)
    return outcome


def unpack(store: Store) -> PackOutcome:
    """Put packed Records back into folders of their own. Where a folder is there that cannot be read, both stay.

    Raises:
        StoreError: the disk does not take them: those that it took have folders, and the pack is as it was.
    """
    with store.pack.locked(), store.pack.reading():
        atomic.sweep(store.folder)
        outcome, table = PackOutcome(), store.pack.table()
        if table is None:
            return outcome
        remaining = []
        for fingerprint, number in table.positions.items():
            folder = store.folder_of(fingerprint)
            if not is_there(folder):
                write_row(store, table.row(number))
            elif not store.has_readable_folder(fingerprint):
                outcome.skipped[folder] = "it cannot be read, and the packed Record stays packed"
                remaining.append(number)
        store.pack.replace(map(table.row, remaining))
        outcome.moved = len(table) - len(remaining)
        return outcome


def write_row(store: Store, row: RecordRow) -> None:
    """Write a Record's folder from a row, each file as it was; OSError."""
    final = store.folder_of(row.record.cell.fingerprint)
    with atomic.temporary(store.folder) as folder:
        if row.sheet is not None:
            write_predictions(folder / PREDICTIONS, row.sheet.predictions())
        (folder / MANIFEST).write_text(manifest_text(row.plain), encoding="utf-8")
        atomic.move_in(folder, final)


def _may_be_packed(folder: Path, outcome: PackOutcome) -> bool:
    """Whether nothing but the two files lies in a folder."""
    if not is_folder(folder):
        outcome.skipped[folder] = "a file stands where a Record's folder should be"
        return False
    with suppress(OSError):
        further = sorted(path.name for path in folder.iterdir() if path.name not in (MANIFEST, PREDICTIONS))
        if further:
            outcome.skipped[folder] = f"it has {', '.join(further[:3])} too"
            return False
    return True


class _FolderRows:
    """Rows of folders, as long as they can be put back just as they are."""

    def __init__(self) -> None:
        self._sheets = SheetReader()

    def read(self, folder: Path) -> RecordRow | str:
        """The row of a folder, or why it cannot be packed."""
        manifest = read_manifest(folder)
        if isinstance(manifest, Damaged):
            return manifest.reason
        record = manifest.record
        if manifest_text(manifest.plain) != manifest.text:
            return f"{MANIFEST} is not written as this version of xlt-bench writes it"
        if not record.has_answers:
            return RecordRow(record, manifest.plain, None)
        try:
            sheet = self._sheets.read(folder / PREDICTIONS, record.labels, record.item_hash)
        except UnreadablePredictionsError as error:
            return str(error)
        return RecordRow(record, manifest.plain, sheet)


@dataclass(frozen=True)
class _Taken:
    """A folder that was read into the new pack: the signature of its files, and the hash of what was read."""

    signature: str
    content: str


def _rows(
    table: RecordTable | None, folders: Sequence[Path], copied: dict[str, _Taken], outcome: PackOutcome
) -> Iterator[RecordRow]:
    """The rows of the new pack: of these folders, and those of the old one that are in none."""
    old_rows = iter(()) if table is None else (table.row(number) for _, number in sorted(table.positions.items()))
    previous = ""
    for row in in_order(_folder_rows(folders, copied, outcome), old_rows):
        if row.record.cell.fingerprint != previous:  # of two, the folder's comes first
            yield row
        previous = row.record.cell.fingerprint


def _folder_rows(folders: Sequence[Path], copied: dict[str, _Taken], outcome: PackOutcome) -> Iterator[RecordRow]:
    reader = _FolderRows()
    for folder in folders:
        signature = signature_of(folder)
        row = reader.read(folder)
        if isinstance(row, str):
            outcome.skipped[folder] = row
        elif signature_of(folder) != signature:
            outcome.skipped[folder] = "another process was writing it"
        else:
            copied[folder.name] = _Taken(signature, _content_hash(row))
            yield row


def _check(written: RecordTable, copied: Mapping[str, _Taken]) -> None:
    """Read again all that the folders would be removed for."""
    for name, folder in copied.items():
        if not _is_in(written, name, folder):
            raise StoreError(f"Record {name} was not read back as it was written; the store is as it was")


def _is_in(table: RecordTable, name: str, folder: _Taken) -> bool:
    """Whether a table has what was read of a folder."""
    return name in table.positions and _content_hash(table.row(table.positions[name])) == folder.content


def _content_hash(row: RecordRow) -> str:
    digest = hashlib.sha256(json.dumps(row.plain).encode())
    if row.sheet is not None:
        digest.update(f"{row.sheet.layout.key} {row.sheet.extra_labels}".encode())
        digest.update(row.sheet.predicted.astype(np.int16).tobytes())
    return digest.hexdigest()


def _remove(store: Store, copied: Mapping[str, _Taken], outcome: PackOutcome) -> int:
    """Remove the folders that are in the pack by now, but for those that a process works on or has changed since."""
    removed, table = 0, store.pack.table()  # read again: a claim is lost by a process that stands still for long
    with atomic.temporary(store.folder) as aside:
        for name, read in copied.items():
            folder = store.folder_of(name)
            if store.claims.held(name) or signature_of(folder) != read.signature:
                outcome.skipped[folder] = "another process works on it"
                continue
            if table is None or not _is_in(table, name, read):
                outcome.skipped[folder] = "another process replaced the pack"
                continue
            folder.rename(aside / name)
            if signature_of(aside / name) == read.signature:
                removed += 1
            elif not is_there(folder):  # what came in between is put back, unless something younger is there
                (aside / name).rename(folder)
    return removed
