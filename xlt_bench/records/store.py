"""The store: one folder a Record. Nothing else writes there; a Record is whole or absent."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.io.paths import is_file, is_folder, is_there
from xlt_bench.io.texts import reason, shortened
from xlt_bench.records.answers import Sheet, identity, read_cache, sheet_of, write_cache
from xlt_bench.records.claims import Claims
from xlt_bench.records.labels import Labels
from xlt_bench.records.record import SCHEMA_VERSION, Predictions, Record
from xlt_bench.records.source_fits import Fits

if TYPE_CHECKING:
    from pyarrow import ChunkedArray

_COLUMNS = ("language", "item_id", "gold", "predicted")
_CLUSTER = "cluster"
"""A further column, in the Records of tasks that give clusters."""
WEIGHTS = "weights"
MANIFEST = "record.json"
PREDICTIONS = "predictions.parquet"
CACHE = "sheet.npz"
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_AGAIN = "run the cell again with --rerun all"


@dataclass(frozen=True)
class Damaged:
    """A folder of the store that cannot be read as a Record, and why; `newer`: only this program is too old for it."""

    folder: Path
    reason: str
    newer: bool = False


class Store:
    """A folder of Records.

    Args:
        folder: made at the first write.

    Attributes:
        claims: which process works on which of them.
        fits: what cells of the full protocol adapt from.
        languages: fits of languages on unlabelled text, which runs share.
        labels: names that users gave to rows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.claims = Claims(folder / ".claims")
        self.fits = Fits(folder / ".fits")
        self.languages = Fits(folder / ".languages")
        self.labels = Labels(folder)

    def aside(self, name: str) -> Store:
        """A store inside this one for Records that are no results, such as trials of a search.

        Nothing that lists this store's Records looks into it. Fits of languages are this store's.
        """
        store = Store(self.folder / f".{name}")
        store.languages = self.languages
        return store

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

    def folder_of(self, fingerprint: str) -> Path:
        """Where the Record of this fingerprint lies, or would lie."""
        return self.folder / fingerprint

    def find(self, fingerprint: str) -> Record | Damaged | None:
        """The Record of this fingerprint, or what is wrong with it or its predictions; None if it is absent.

        Raises:
            StoreError: a newer release wrote it; it must not be replaced.
        """
        path = self.folder_of(fingerprint)
        record = _read(path) if is_there(path) else None
        if isinstance(record, Damaged) and record.newer:
            raise StoreError(f"{path}: {record.reason}, or give another store: --store DIR")
        if isinstance(record, Record) and record.complete and record.evidence == "per_item":
            try:
                self.sheet(record)  # from its cache, where the file is as it was written
            except StoreError as error:
                return Damaged(path, str(error).removesuffix(f"; {_AGAIN}"))
        return self.labelled([record])[0] if isinstance(record, Record) else record

    def has_weights(self, fingerprint: str) -> bool:
        """Whether trained weights lie beside the predictions."""
        return is_folder(self.folder_of(fingerprint) / WEIGHTS)

    def records(self) -> tuple[list[Record], list[Damaged]]:
        """All Records in order of their folders, and what could not be read."""
        folders = [_read(path) for path in self.folders()]
        records = self.labelled([record for record in folders if isinstance(record, Record)])
        return records, [damaged for damaged in folders if isinstance(damaged, Damaged)]

    def folders(self) -> list[Path]:
        """What should be Records' folders, in order of their names; none where there is no store.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            return sorted(path for path in self.folder.iterdir() if _is_record(path))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the store {self.folder} cannot be read: {reason(error)}; give another: --store DIR"
            ) from error

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
        """
        final = self.folder_of(record.cell.fingerprint)
        try:
            with atomic.temporary(self.folder) as folder:
                if predictions is not None:
                    _write_predictions(folder / PREDICTIONS, predictions)
                    _keep_sheet(folder, record, predictions)
                if save_weights is not None:
                    (folder / WEIGHTS).mkdir()
                    save_weights(folder / WEIGHTS)
                (folder / MANIFEST).write_text(_manifest(record), encoding="utf-8")
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
        path = self.folder_of(record.cell.fingerprint) / MANIFEST
        try:
            atomic.replace_file(path, _manifest(record).encode())
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {reason(error)}") from error

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
            try:
                with atomic.temporary(self.folder) as aside:
                    for fingerprint in fingerprints:
                        self.folder_of(fingerprint).rename(aside / fingerprint)
            except OSError as error:
                raise StoreError(f"{error.filename or self.folder} cannot be removed: {error.strerror}") from error

    def predictions(self, record: Record) -> Predictions:
        """The predictions of a complete Record.

        Raises:
            StoreError: the file is missing or broken.
        """
        import pyarrow as arrow
        import pyarrow.parquet as parquet

        path = self.folder_of(record.cell.fingerprint) / PREDICTIONS
        try:
            # ParquetFile, not read_table, which imports pandas
            file = parquet.ParquetFile(path, page_checksum_verification=True)
            names = [*_COLUMNS, *([_CLUSTER] if _CLUSTER in file.schema_arrow.names else [])]
            table = file.read(columns=names)
            predictions = Predictions(*(_texts(name, table.column(name)) for name in names))
        except (OSError, arrow.ArrowException, KeyError, TypeError) as error:
            fault = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise StoreError(f"{path} cannot be read ({fault}); {_AGAIN}") from error
        if record.item_hash is not None and predictions.item_hash() != record.item_hash:
            raise StoreError(f"{path} does not hold the items that its record.json speaks of; {_AGAIN}")
        return predictions

    def sheet(self, record: Record) -> Sheet:
        """The predictions of a complete Record as a Sheet, from its cache where that is of this very file.

        Raises:
            StoreError: as `predictions` and `sheet_of`.
        """
        folder = self.folder_of(record.cell.fingerprint)
        path = folder / PREDICTIONS
        try:
            source = identity(path.read_bytes(), record)
        except OSError as error:
            raise StoreError(f"{path} cannot be read ({reason(error)}); {_AGAIN}") from error
        sheet = read_cache(folder / CACHE, source)
        if sheet is None:
            try:
                sheet = sheet_of(self.predictions(record), record.labels)
            except ValueError as error:
                raise StoreError(f"{path}: {error}; {_AGAIN}") from error
            write_cache(folder / CACHE, source, sheet)
        return sheet


def _is_record(path: Path) -> bool:
    return not path.name.startswith(".") and (is_folder(path) or _FINGERPRINT.fullmatch(path.name) is not None)


def _read(folder: Path) -> Record | Damaged:
    if not is_folder(folder):
        return Damaged(folder, "a file stands where a Record's folder should be")
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        plain = json.loads(text)
        if "\\ud" in text.lower():  # half of a character, which no output could hold; ValueError
            json.dumps(plain, ensure_ascii=False).encode()
        version = plain["schema_version"]
        if version > SCHEMA_VERSION:
            newer = f"schema {version} is newer than this program's {SCHEMA_VERSION}; upgrade xlt-bench"
            return Damaged(folder, newer, newer=True)
        if version < SCHEMA_VERSION:
            return Damaged(folder, f"schema {version} is older than this program's {SCHEMA_VERSION}; {_AGAIN}")
        record = Record.from_json(plain)
        fingerprint = record.cell.fingerprint
    except FileNotFoundError:
        return Damaged(folder, "it has no record.json")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Damaged(folder, f"record.json is no Record ({type(error).__name__}: {shortened(error, 200)})")
    if fingerprint != folder.name:
        return Damaged(folder, f"its content has fingerprint {fingerprint}, not that of its folder")
    if record.complete and record.evidence == "per_item" and not is_file(folder / PREDICTIONS):
        return Damaged(folder, "predictions.parquet is missing")
    return record


def _keep_sheet(folder: Path, record: Record, predictions: Predictions) -> None:
    """Make the cache with the Record, so that its first board is not slower than the next ones."""
    if record.item_hash not in (None, predictions.item_hash()):
        return
    with contextlib.suppress(ValueError):  # predictions that are no sheet: whoever reads them is told
        sheet = sheet_of(predictions, record.labels)
        write_cache(folder / CACHE, identity((folder / PREDICTIONS).read_bytes(), record), sheet)


def _texts(name: str, column: ChunkedArray) -> NDArray[np.object_]:
    """A column of texts, shape (rows,); equal texts are one object."""
    from pyarrow import string

    coded = column.cast(string()).combine_chunks().dictionary_encode()
    if coded.null_count:
        raise TypeError(f"column {name} has gaps: {coded.null_count} of {len(coded)} values are missing")
    distinct = np.asarray(coded.dictionary.to_pylist(), object)
    return distinct[coded.indices.to_numpy()] if len(coded) else np.empty(0, object)


def _manifest(record: Record) -> str:
    return json.dumps(record.as_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write_predictions(path: Path, predictions: Predictions) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    names = _COLUMNS if predictions.cluster is None else (*_COLUMNS, _CLUSTER)
    columns = {
        name: arrow.array(list(getattr(predictions, name)), arrow.string()).dictionary_encode() for name in names
    }
    parquet.write_table(arrow.table(columns), path, compression="zstd", write_page_checksum=True)
