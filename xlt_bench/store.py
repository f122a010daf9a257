"""The store: one folder a Record. Nothing else writes there; a Record is whole or absent."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlt_bench.errors import StoreError
from xlt_bench.records import SCHEMA_VERSION, Predictions, Record

_COLUMNS = ("language", "item_id", "gold", "predicted")
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Damaged:
    """A folder of the store that cannot be read as a Record, and why."""

    folder: Path
    reason: str


class Store:
    """A folder of Records.

    Args:
        folder: made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check_writable(self) -> None:
        """Make the folder and try to write in it, before anything is computed.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=_TEMPORARY):
                pass
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(
                f"the store {self.folder} cannot be written: {reason}; give another: --store DIR"
            ) from error

    def folder_of(self, fingerprint: str) -> Path:
        """Where the Record of this fingerprint lies, or would lie."""
        return self.folder / fingerprint

    def find(self, fingerprint: str) -> Record | None:
        """The Record of this fingerprint, None if it is absent or damaged."""
        folder = self.folder_of(fingerprint)
        if not folder.is_dir():
            return None
        found = _read(folder)
        return found if isinstance(found, Record) else None

    def records(self) -> tuple[list[Record], list[Damaged]]:
        """All Records in order of their folders, and what could not be read."""
        if not self.folder.exists():
            return [], []
        if not self.folder.is_dir():
            raise StoreError(f"the store {self.folder} is a file, not a folder; give another: --store DIR")
        found = [_read(folder) for folder in sorted(self.folder.iterdir()) if _is_record(folder)]
        return [r for r in found if isinstance(r, Record)], [d for d in found if isinstance(d, Damaged)]

    def write(
        self, record: Record, predictions: Predictions | None, save_weights: Callable[[Path], None] | None = None
    ) -> Path:
        """Write a Record, in place of an older one of the same fingerprint; it is there whole or not at all.

        Raises:
            StoreError: it cannot be written, for example because the disk is full.
        """
        final = self.folder_of(record.cell.fingerprint)
        try:
            with self._temporary() as folder:
                if predictions is not None:
                    _write_predictions(folder / "predictions.parquet", predictions)
                if save_weights is not None:
                    save_weights(folder / "weights")
                text = json.dumps(record.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
                (folder / "record.json").write_text(text + "\n", encoding="utf-8")
                _sync(folder)
                self._move_in(folder, final)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(
                f"the Record {final} cannot be written: {reason}; free space or give another --store"
            ) from error
        return final

    def predictions(self, record: Record) -> Predictions:
        """The predictions of a complete Record.

        Raises:
            StoreError: the file is missing or broken.
        """
        import pyarrow as arrow
        import pyarrow.parquet as parquet

        path = self.folder_of(record.cell.fingerprint) / "predictions.parquet"
        try:
            table = parquet.read_table(path, columns=list(_COLUMNS))
            columns = [np.asarray(table.column(name).to_pylist(), object) for name in _COLUMNS]
        except (OSError, arrow.ArrowException, KeyError) as error:
            raise StoreError(f"{path} cannot be read ({error}); run the cell again with --rerun all") from error
        return Predictions(*columns)

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=_TEMPORARY))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _move_in(self, folder: Path, final: Path) -> None:
        if final.exists():
            with self._temporary() as aside:
                final.rename(aside / "old")
                folder.rename(final)
        else:
            folder.rename(final)
        _sync_folder(self.folder)


def _is_record(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".")


def _read(folder: Path) -> Record | Damaged:
    try:
        plain = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        version = plain["schema_version"]
        if version > SCHEMA_VERSION:
            return Damaged(folder, f"schema {version} is newer than this program's {SCHEMA_VERSION}; upgrade xlt-bench")
        record = Record.from_json(plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Damaged(folder, f"record.json is no Record ({type(error).__name__}: {error})")
    if record.cell.fingerprint != folder.name:
        return Damaged(folder, f"its content has fingerprint {record.cell.fingerprint}, not that of its folder")
    if record.complete and not (folder / "predictions.parquet").is_file():
        return Damaged(folder, "predictions.parquet is missing")
    return record


def _write_predictions(path: Path, predictions: Predictions) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    columns = {
        name: arrow.array(list(getattr(predictions, name)), arrow.string()).dictionary_encode() for name in _COLUMNS
    }
    parquet.write_table(arrow.table(columns), path, compression="zstd")


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
