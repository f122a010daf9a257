"""`predictions.parquet`: the answers of a run, one row an item, as texts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlt_bench.records.answers import PlacedItems, Sheet, TextColumn, place_items
from xlt_bench.records.record import Predictions

if TYPE_CHECKING:
    from pyarrow import ChunkedArray
    from pyarrow.parquet import ParquetFile

PREDICTIONS = "predictions.parquet"
_ITEM = ("language", "item_id", "gold")
_PREDICTED = "predicted"
_CLUSTER = "cluster"
"""A further column, in the Records of tasks that give clusters."""

_REMEMBERED = 512
"""ItemLayouts: in the full protocol each target has one."""


class UnreadablePredictionsError(Exception):
    """A file of predictions cannot be read; the message says why, in one line."""


def read_predictions(path: Path) -> Predictions:
    """The predictions of a file.

    Raises:
        UnreadablePredictionsError: it is missing or broken.
    """
    with _reading(path):
        file = _opened(path.read_bytes())
        columns = _columns(file, _columns_of(file))
    return Predictions(**{name: column.texts() for name, column in columns.items()})


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a file of predictions; OSError."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    names = (*_ITEM, _PREDICTED, *(() if predictions.cluster is None else (_CLUSTER,)))
    columns = {
        name: arrow.array(list(getattr(predictions, name)), arrow.string()).dictionary_encode() for name in names
    }
    parquet.write_table(arrow.table(columns), path, compression="zstd", write_page_checksum=True)


class SheetReader:
    """Reads files of predictions as Sheets.

    Most files of a task differ in their answers alone. What the other columns say is worked out once, and found again
    by the very bytes that those columns have in a file.
    """

    def __init__(self) -> None:
        self._placed: OrderedDict[tuple[object, ...], PlacedItems] = OrderedDict()

    def read(self, path: Path, labels: Sequence[str], item_hash: str | None) -> Sheet:
        """The Sheet of a file of predictions.

        Args:
            labels: the task's classes.
            item_hash: of the items that the file must hold; None: any.

        Raises:
            UnreadablePredictionsError: it is missing or broken, holds other items, or is no Sheet.
        """
        with _reading(path):
            content = path.read_bytes()
            file = _opened(content)
            key = (tuple(labels), *_stored_items(file, content))
            placed = self._placed.get(key)
            columns = _columns(file, _columns_of(file) if placed is None else (_PREDICTED,))
        if placed is None:
            try:
                language, item_id, gold = (columns[name] for name in _ITEM)
                placed = place_items(language, item_id, gold, columns.get(_CLUSTER), labels)
            except ValueError as error:
                raise UnreadablePredictionsError(f"{path}: {error}") from error
            self._remember(key, placed)
        if item_hash not in (None, placed.item_hash):
            raise UnreadablePredictionsError(f"{path} does not hold the items that its record.json speaks of")
        return placed.sheet(columns[_PREDICTED])

    def _remember(self, key: tuple[object, ...], placed: PlacedItems) -> None:
        self._placed[key] = placed
        if len(self._placed) > _REMEMBERED:
            self._placed.popitem(last=False)


def _opened(content: bytes) -> ParquetFile:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    # ParquetFile, not read_table, which imports pandas
    return parquet.ParquetFile(arrow.BufferReader(content), page_checksum_verification=True)


def _columns_of(file: ParquetFile) -> tuple[str, ...]:
    has_clusters = _CLUSTER in file.schema_arrow.names
    return (*_ITEM, _PREDICTED, *([_CLUSTER] if has_clusters else []))


def _stored_items(file: ParquetFile, content: bytes) -> Iterator[object]:
    """All that the file holds of its items, as it stands there."""
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        for number in range(of_group.num_columns):
            column = of_group.column(number)
            if column.path_in_schema != _PREDICTED:
                start = column.dictionary_page_offset or column.data_page_offset
                stored = content[start : start + column.total_compressed_size]
                yield column.path_in_schema, column.compression, column.num_values, stored


def _columns(file: ParquetFile, names: Sequence[str]) -> dict[str, TextColumn]:
    table = file.read(columns=list(names), use_threads=False)
    return {name: _column(name, table.column(name)) for name in names}


def _column(name: str, column: ChunkedArray) -> TextColumn:
    from pyarrow import string, types

    if not (types.is_dictionary(column.type) and types.is_string(column.type.value_type)):
        column = column.cast(string()).dictionary_encode()
    if column.null_count:
        raise TypeError(f"column {name} has gaps: {column.null_count} of {len(column)} values are missing")
    if not len(column):
        return TextColumn((), np.empty(0, np.int32))
    chunks = (column if column.num_chunks == 1 else column.unify_dictionaries()).chunks
    # from_dlpack, not to_numpy, which imports pandas
    indices = np.concatenate([np.from_dlpack(chunk.indices).astype(np.int32, copy=False) for chunk in chunks])
    return TextColumn(tuple(chunks[0].dictionary.to_pylist()), indices)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say in one way whatever is wrong with a file."""
    import pyarrow as arrow

    try:
        yield
    except (OSError, arrow.ArrowException, KeyError, TypeError) as error:
        fault = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadablePredictionsError(f"{path} cannot be read ({fault})") from error
