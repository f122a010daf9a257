"""The store: one folder a Record, and one file with Records that were packed. A Record is whole or absent.

Nothing else writes there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.io.paths import is_folder, is_there
from xlt_bench.io.texts import reason
from xlt_bench.records.answers import Sheet
from xlt_bench.records.checkpoints import CheckpointFiles
from xlt_bench.records.claims import Claims
from xlt_bench.records.folder_reader import FolderReader, Stored
from xlt_bench.records.labels import Labels
from xlt_bench.records.manifest import AGAIN, MANIFEST, Damaged, manifest_text
from xlt_bench.records.pack import Pack
from xlt_bench.records.predictions_file import (
    PREDICTIONS,
    UnreadablePredictionsError,
    read_predictions,
    write_predictions,
)
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.record_table import RecordTable
from xlt_bench.records.source_fits import Fits

WEIGHTS = "weights"
FINGERPRINT = re.compile(r"[0-9a-f]{16}")
"""Of a cell, the name of its Record's folder."""


class Store:
    """A folder of Records.

    Args:
        folder: made at the first write.

    Attributes:
        claims: which process works on which of them.
        fits: what cells of the full protocol adapt from.
        languages: fits of languages on unlabelled text, which runs share.
        checkpoints: of fits under way, on labels.
        language_checkpoints: of fits of languages under way.
        labels: names that users gave to rows.
        pack: Records that have no folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.claims = Claims(folder / ".claims")
        self.pack = Pack(folder, self.claims)
        self._reader = FolderReader(folder)
        self._stored: dict[str, Stored] = {}
        self.fits = Fits(folder / ".fits", self.claims)
        self.languages = Fits(folder / ".languages", self.claims)
        self.checkpoints = CheckpointFiles(folder / ".checkpoints", self.claims)
        self.language_checkpoints = CheckpointFiles(folder / ".checkpoints" / "languages", self.claims)
        self.labels = Labels(folder)

    def aside(self, name: str) -> Store:
        """A store inside this one for Records that are no results, such as trials of a search.

        Nothing that lists this store's Records looks into it. Fits of languages are this store's.
        """
        store = Store(self.folder / f".{name}")
        store.languages, store.language_checkpoints = self.languages, self.language_checkpoints
        return store

    def checkpoint_times(self, fits: Iterable[str]) -> dict[str, int]:
        """Name of each checkpoint of fits -> when it was written; of languages all, since many fits wait for one."""
        return {**self.checkpoints.times(fits), **self.language_checkpoints.times()}

    def check_writable(self) -> None:
        """Make the folder and try to write in it, before anything is computed.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            str(self.folder).encode()  # ValueError: Parquet files can have names in UTF-8 alone
            with atomic.temporary(self.folder) as folder:
                (folder / "probe").write_text("", encoding="utf-8")
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the store {self.folder} cannot be written: {reason(error)}; give another: --store DIR"
            ) from error
        atomic.sweep(self.folder)
        self.claims.sweep()
        self.checkpoints.sweep()
        self.language_checkpoints.sweep()

    def folder_of(self, fingerprint: str) -> Path:
        """Where the Record of this fingerprint lies, or would lie."""
        return self.folder / fingerprint

    def find(self, fingerprint: str) -> Record | Damaged | None:
        """The Record of this fingerprint, or what is wrong with it or its predictions; None if it is absent.

        Raises:
            StoreError: a newer release wrote it, and it must not be replaced; or the pack is damaged.
        """
        folder = self.folder_of(fingerprint)
        outcome = self._outcome(folder, self._entry(fingerprint))
        return self.labelled([outcome])[0] if isinstance(outcome, Record) else outcome

    def find_all(self, fingerprints: Iterable[str]) -> dict[str, Record | Damaged]:
        """What `find` says of many, quickly; without those that are absent.

        Raises:
            StoreError: as for `find`.
        """
        names = list(fingerprints)
        entries = self._in_folders(names)
        entries |= self._packed(self.pack.table(), (name for name in names if name not in entries))
        entries |= self._in_folders([name for name in names if name not in entries])  # the pack was undone meanwhile
        self._stored |= {name: entry for name, entry in entries.items() if isinstance(entry, Stored)}
        outcomes = {name: self._outcome(self.folder_of(name), entries[name]) for name in names if name in entries}
        records = {name: record for name, record in outcomes.items() if isinstance(record, Record)}
        labelled = dict(zip(records, self.labelled(list(records.values())), strict=True))
        return {name: labelled.get(name, outcome) for name, outcome in outcomes.items() if outcome is not None}

    def _entry(self, fingerprint: str) -> Stored | Damaged | None:
        """A Record from its folder or the pack; it may move from one to the other meanwhile."""
        folder = self.folder_of(fingerprint)
        for _ in range(2):
            entry = self._reader.read(fingerprint) if is_there(folder) else None
            entry = entry or self._packed(self.pack.table(), [fingerprint]).get(fingerprint)
            if entry is not None:
                return entry
        return None

    def _in_folders(self, fingerprints: Sequence[str]) -> dict[str, Stored | Damaged]:
        names = (name for name in fingerprints if is_there(self.folder_of(name)))
        return self._reader.read_all(names, with_answers=True)

    def _outcome(self, folder: Path, entry: Stored | Damaged | None) -> Record | Damaged | None:
        if isinstance(entry, Damaged) and entry.newer:
            raise StoreError(f"{folder}: {entry.reason}, or give another store: --store DIR")
        if isinstance(entry, Stored):
            return Damaged(folder, entry.fault) if entry.fault else entry.record
        return entry

    def has_readable_folder(self, fingerprint: str) -> bool:
        """Whether its Record lies in a folder of its own, and nothing is wrong with it."""
        folder = self.folder_of(fingerprint)
        entry = self._reader.read(fingerprint) if is_there(folder) else None
        return isinstance(entry, Stored) and not entry.fault

    def fault(self, record: Record) -> str:
        """What is wrong with the answers of a Record, as far as `records` read them; empty where nothing is."""
        stored = self._stored.get(record.cell.fingerprint)
        return stored.fault if stored is not None and stored.record.cell is record.cell else ""

    def has_weights(self, fingerprint: str) -> bool:
        """Whether trained weights lie beside the predictions."""
        return is_folder(self.folder_of(fingerprint) / WEIGHTS)

    def records(self, with_answers: bool = False) -> tuple[list[Record], list[Damaged]]:
        """All Records in order of their fingerprints, and what could not be read.

        Each is whole, as it was at one moment, while others write to the store.

        Args:
            with_answers: read their answers with them, for `sheet`.

        Raises:
            StoreError: the store or its pack cannot be read.
        """
        while True:  # a Record may move between its folder and the pack meanwhile
            packed_table = self.pack.table()
            # twice: a folder that is just being replaced has no name for a moment
            entries = self._reader.read_all({*self._folder_names(), *self._folder_names()}, with_answers)
            if self.pack.is_as_opened():
                break
        packed = [] if packed_table is None else packed_table.positions
        stored = self._packed(packed_table, (name for name in packed if name not in entries))
        stored |= {name: entry for name, entry in entries.items() if isinstance(entry, Stored)}
        self._stored = dict(sorted(stored.items()))
        damaged = sorted(
            (entry for entry in entries.values() if isinstance(entry, Damaged)), key=lambda entry: entry.folder.name
        )
        return self.labelled([entry.record for entry in self._stored.values()]), damaged

    def folders(self) -> list[Path]:
        """What should be Records' folders, in order of their names; none where there is no store.

        Raises:
            StoreError: the store cannot be read.
        """
        return [self.folder / name for name in self._folder_names()]

    def _folder_names(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.folder) if self._is_record(name))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the store {self.folder} cannot be read: {reason(error)}; give another: --store DIR"
            ) from error

    def _is_record(self, name: str) -> bool:
        return not name.startswith(".") and (FINGERPRINT.fullmatch(name) is not None or is_folder(self.folder / name))

    def names(self) -> list[str]:
        """The fingerprints of all that is in the store, readable or not, in order."""
        table = self.pack.table()
        packed = [] if table is None else table.positions
        return sorted({*self._folder_names(), *packed})

    def _packed(self, table: RecordTable | None, fingerprints: Iterable[str]) -> dict[str, Stored]:
        """Those of these Records that are packed."""
        if table is None:
            return {}
        rows = {name: table.positions[name] for name in fingerprints if name in table.positions}
        with self.pack.reading():
            records = table.records(list(rows.values()))
        return {
            name: Stored(record, partial(self._packed_sheet, table, row))
            for (name, row), record in zip(rows.items(), records, strict=True)
        }

    def _packed_sheet(self, table: RecordTable, row: int) -> Sheet:
        with self.pack.reading():
            sheet = table.sheet(row)
        assert sheet is not None, "it is asked for of Records with answers alone"
        return sheet

    def labelled(self, records: Sequence[Record]) -> list[Record]:
        """These Records with the names that users gave to their rows."""
        labels = self.labels.read()
        return [
            replace(record, given_label=labels.get(record.cell.configuration, "")) if labels else record
            for record in records
        ]

    def write(
        self, record: Record, predictions: Predictions | None, save_weights: Callable[[Path], None] | None = None
    ) -> Path:
        """Write a Record, in place of an older one of the same fingerprint; it is there whole or not at all.

        Raises:
            StoreError: it cannot be written, for example because the disk is full.
            ClaimLostError: another process has taken over the claim on it.
        """
        final = self.folder_of(record.cell.fingerprint)
        try:
            with self.claims.drafts(final.name, self.folder) as folder:
                if predictions is not None:
                    write_predictions(folder / PREDICTIONS, predictions)
                if save_weights is not None:
                    (folder / WEIGHTS).mkdir()
                    save_weights(folder / WEIGHTS)
                (folder / MANIFEST).write_text(manifest_text(record.as_json()), encoding="utf-8")
                atomic.move_in(folder, final)
        except OSError as error:
            raise StoreError(
                f"the Record {final} cannot be written: {reason(error)}; free space or give another --store"
            ) from error
        return final

    def update(self, record: Record) -> None:
        """Replace the manifest of a stored Record, whole or not at all; its predictions stay.

        Raises:
            StoreError: it cannot be written.
        """
        folder = self.folder_of(record.cell.fingerprint)
        if not is_folder(folder):  # packed
            self.write(record, self.predictions(record) if record.has_answers else None)
            return
        try:
            atomic.replace_file(folder / MANIFEST, manifest_text(record.as_json()).encode())
        except OSError as error:
            raise StoreError(f"{folder / MANIFEST} cannot be written: {reason(error)}") from error

    def forget(self, fingerprints: Sequence[str]) -> None:
        """Remove Records with all that lies beside them; each is gone at once, not file by file.

        Raises:
            StoreError: a process works on one of them, and nothing is removed; or the store cannot be written.
        """
        with self.claims.hold(fingerprints) as claimed:
            busy = [fingerprint for fingerprint in fingerprints if fingerprint not in claimed]
            if busy:
                owner = self.claims.owner(busy[0]) or "a process"
                raise StoreError(f"{owner} works on {self.folder_of(busy[0])}; wait for it, or end it")
            with self.pack.locked():  # around both: else what is packed in between would come back
                self.pack.remove(set(fingerprints))
                try:
                    for fingerprint in filter(lambda name: is_there(self.folder_of(name)), fingerprints):
                        with self.claims.drafts(fingerprint, self.folder) as aside:
                            self.folder_of(fingerprint).rename(aside / fingerprint)
                except OSError as error:
                    raise StoreError(f"{error.filename or self.folder} cannot be removed: {error.strerror}") from error

    def predictions(self, record: Record) -> Predictions:
        """The predictions of a complete Record.

        Raises:
            StoreError: the file is missing or broken.
        """
        path = self.folder_of(record.cell.fingerprint) / PREDICTIONS
        if not is_there(path.parent) and (packed := self._packed(self.pack.table(), [record.cell.fingerprint])):
            return packed[record.cell.fingerprint].sheet().predictions()
        try:
            predictions = read_predictions(path)
        except UnreadablePredictionsError as error:
            raise StoreError(f"{error}; {AGAIN}") from error
        if record.item_hash is not None and predictions.item_hash() != record.item_hash:
            raise StoreError(f"{path} does not hold the items that its record.json speaks of; {AGAIN}")
        return predictions

    def sheet(self, record: Record) -> Sheet:
        """The predictions of a complete Record as a Sheet: as `records` read them where the Record is of there.

        Raises:
            StoreError: they cannot be read.
        """
        fingerprint = record.cell.fingerprint
        stored = self._stored.get(fingerprint)
        if stored is not None and stored.record.cell is record.cell:
            return stored.sheet()
        entry = self._entry(fingerprint)
        if isinstance(entry, Stored):
            return entry.sheet()
        fault = "it is not in the store any more" if entry is None else entry.reason
        raise StoreError(f"{self.folder_of(fingerprint)}: {fault}; {AGAIN}")
