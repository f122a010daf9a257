"""Reads Records from their folders, through the index where they are many.

Other processes may write, replace or remove a Record meanwhile: what is read of one is of one moment, or it is read
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xlt_bench.errors import StoreError
from xlt_bench.io.paths import is_there
from xlt_bench.records.answers import Sheet
from xlt_bench.records.index import Index, is_settled, signature_of
from xlt_bench.records.manifest import AGAIN, Damaged, Manifest, read_manifest
from xlt_bench.records.predictions_file import PREDICTIONS, SheetReader, UnreadablePredictionsError
from xlt_bench.records.record import Record
from xlt_bench.records.record_table import RecordTable, UnreadableTableError
from xlt_bench.records.table_columns import RecordRow
from xlt_bench.records.table_writing import in_order

FEWEST_INDEXED = 50
"""Records that were read anew; fewer are read again in a moment."""
_TRIES = 20
_PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Stored:
    """A Record as it was read.

    Attributes:
        sheet: of its answers; StoreError where they cannot be read. Only of Records that have answers.
        fault: what is wrong with the answers, as far as they were read.
    """

    record: Record
    sheet: Callable[[], Sheet]
    fault: str = ""


class FolderReader:
    """Reads the Records of one store.

    Args:
        store: its folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._index = Index(store)
        self._sheets = SheetReader()
        self._waiting: dict[str, RecordRow] = {}  # to be indexed, as soon as they are many

    def read_all(self, names: Iterable[str], with_answers: bool) -> dict[str, Stored | Damaged]:
        """Records by name of their folder; those that have gone meanwhile are left out.

        Args:
            with_answers: read and check the answers too; without, they are read when a Sheet is asked for.
        """
        store = str(self._store)  # joining 10,000 paths takes as long as reading their index
        signatures = {name: signature_of(f"{store}/{name}") for name in names}
        if with_answers:
            self._fill_index(signatures)
        outcomes: dict[str, Stored | Damaged] = {**self._indexed(signatures)}
        for name in signatures:
            if name not in outcomes and (outcome := self.read(name, with_answers)) is not None:
                outcomes[name] = outcome
        return outcomes

    def read(self, name: str, with_answers: bool = True) -> Stored | Damaged | None:
        """A Record without the index; None where there is no such folder by now."""
        folder = self._store / name
        outcome = self._whole(folder, with_answers)
        if not isinstance(outcome, _Reading):
            return outcome
        record, answers = outcome.manifest.record, outcome.answers
        if isinstance(answers, Sheet):
            return Stored(record, lambda: answers)
        if answers is not None:
            return Stored(record, partial(_refuse, answers), answers)
        return Stored(record, partial(self._sheet, folder, record))

    def _fill_index(self, signatures: Mapping[str, str]) -> None:
        """Read what the index lacks, not what changed a moment ago, and index it once it is much."""
        missing = [
            name
            for name, signature in signatures.items()
            if self._index.place(name, signature) is None
            and self._waiting_row(name, signature) is None
            and is_settled(signature)
        ]
        rows = self._rows(sorted(missing), signatures)
        if len(missing) + len(self._waiting) >= FEWEST_INDEXED:
            self._index.add(in_order([self._waiting[name] for name in sorted(self._waiting)], rows))
            self._waiting = {}
        else:
            self._waiting |= {row.record.cell.fingerprint: row for row in rows}

    def _waiting_row(self, name: str, signature: str) -> RecordRow | None:
        row = self._waiting.get(name)
        return row if row is not None and row.signature == signature else None

    def _rows(self, names: Sequence[str], signatures: Mapping[str, str]) -> Iterator[RecordRow]:
        for name in names:
            outcome = self._whole(self._store / name, with_answers=True)
            if isinstance(outcome, _Reading) and outcome.signature == signatures[name]:
                manifest, answers = outcome.manifest, outcome.answers
                if not isinstance(answers, str):
                    yield RecordRow(manifest.record, manifest.plain, answers, outcome.signature)

    def _indexed(self, signatures: Mapping[str, str]) -> dict[str, Stored]:
        """Those of these Records that the index has, or will have."""
        outcomes: dict[str, Stored] = {}
        by_table: dict[RecordTable, dict[str, int]] = {}
        for name, signature in signatures.items():
            row = self._waiting_row(name, signature)
            if row is not None:
                outcomes[name] = Stored(row.record, partial(_given, row))
                continue
            place = self._index.place(name, signature) if signature else None
            if place is not None:
                by_table.setdefault(place[0], {})[name] = place[1]
        for table, rows in by_table.items():
            try:
                records = table.records(list(rows.values()))
            except UnreadableTableError:
                self._index.discard(table)
                continue
            for (name, number), record in zip(rows.items(), records, strict=True):
                outcomes[name] = Stored(record, partial(self._indexed_sheet, table, number, name))
        return outcomes

    def _indexed_sheet(self, table: RecordTable, row: int, name: str) -> Sheet:
        try:
            sheet = table.sheet(row)
            if sheet is not None:
                return sheet
        except UnreadableTableError:
            self._index.discard(table)
        return self._sheet(self._store / name, table.records([row])[0])

    def _sheet(self, folder: Path, record: Record) -> Sheet:
        """The Sheet of a Record that was read before."""
        try:
            return self._sheets.read(folder / PREDICTIONS, record.labels, record.item_hash)
        except UnreadablePredictionsError as error:
            raise StoreError(f"{error}; {AGAIN}") from error

    def _whole(self, folder: Path, with_answers: bool) -> _Reading | Damaged | None:
        """What there is, read again as long as it changes; None where it has gone."""
        outcome: _Reading | Damaged | None = None
        for _ in range(_TRIES):
            signature = signature_of(folder)
            outcome = self._once(folder, signature, with_answers)
            if outcome is not None and signature_of(folder) == signature:
                return outcome
            time.sleep(_PAUSE_SECONDS)  # another process puts a new one in its place, or removes it
        return outcome

    def _once(self, folder: Path, signature: str, with_answers: bool) -> _Reading | Damaged | None:
        manifest = read_manifest(folder)
        if isinstance(manifest, Damaged):
            return manifest if is_there(folder) else None
        record, answers = manifest.record, None
        if with_answers and record.has_answers:
            try:
                answers = self._sheets.read(folder / PREDICTIONS, record.labels, record.item_hash)
            except UnreadablePredictionsError as error:
                return _Reading(manifest, str(error), signature)
        return _Reading(manifest, answers, signature)


@dataclass(frozen=True)
class _Reading:
    """What was read of a folder at one moment.

    Attributes:
        answers: the Sheet, or what is wrong with it; None where it has none, or they were not read.
    """

    manifest: Manifest
    answers: Sheet | str | None
    signature: str


def _given(row: RecordRow) -> Sheet:
    assert row.sheet is not None, "it is asked for of Records with answers alone"
    return row.sheet


def _refuse(fault: str) -> Sheet:
    raise StoreError(f"{fault}; {AGAIN}")
