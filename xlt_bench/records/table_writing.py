"""Writing a table of Records (`xlt_bench.records.record_table`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.records.table_columns import (
    FIRST,
    FURTHER,
    IN_CELL,
    NAMES_OF_ITEMS,
    RECORD_FIELDS,
    TEXTS,
    RecordRow,
    schema,
)

if TYPE_CHECKING:
    from pyarrow import RecordBatch

_ROWS_AT_ONCE = 1_000
_LARGEST_DICTIONARY = 1 << 28
"""Bytes of distinct values of a column of so many rows; beyond, Parquet would keep each value in full."""


def in_order(*tables: Iterable[RecordRow]) -> Iterator[RecordRow]:
    """The rows of several tables, each in order of fingerprints, as one: Sheets are mostly asked for in that order."""
    return merge(*tables, key=lambda row: row.record.cell.fingerprint)


def write_table(path: Path, rows: Iterable[RecordRow]) -> None:
    """Write a table; OSError where the disk does not take it. Of the rows a thousand are held at once.

    Args:
        rows: best in order of fingerprints.
    """
    import pyarrow.parquet as parquet

    remaining = iter(rows)
    with parquet.ParquetWriter(
        path,
        schema(),
        compression="zstd",
        use_dictionary=[*TEXTS, "gold"],
        dictionary_pagesize_limit=_LARGEST_DICTIONARY,
        write_page_checksum=True,
    ) as writer:
        while batch := list(islice(remaining, _ROWS_AT_ONCE)):
            writer.write_batch(_batch(batch))


def _batch(rows: Sequence[RecordRow]) -> RecordBatch:
    import pyarrow as arrow

    cells = [_values_of(row) for row in rows]
    columns = schema()
    arrays = []
    for field in columns:
        values = [cell.get(field.name) for cell in cells]
        is_coded = arrow.types.is_dictionary(field.type)
        array = arrow.array(values, field.type.value_type if is_coded else field.type)
        arrays.append(array.dictionary_encode() if is_coded else array)
    return arrow.record_batch(arrays, schema=columns)


def _values_of(row: RecordRow) -> dict[str, Any]:
    """Column -> what a row has there."""
    plain, sheet = row.plain, row.sheet
    cell, identity = plain["cell"], row.record.cell
    further = {name: value for name, value in plain.items() if name not in (*FIRST, "cell", *RECORD_FIELDS)}
    values: dict[str, Any] = {
        "schema_version": str(plain["schema_version"]),
        "fingerprint": identity.fingerprint,
        "configuration": identity.configuration,
        "signature": row.signature,
        **{IN_CELL + name: _text(value) for name, value in cell.items()},
        **{name: _text(plain[name]) for name in RECORD_FIELDS if name in plain},
    }
    if further:
        values[FURTHER] = _text(further)
    if sheet is not None:
        layout = sheet.layout
        described: dict[str, Any] = {name: getattr(layout, name) for name in NAMES_OF_ITEMS}
        if layout.order is not None:
            described["order"] = layout.order.tolist()
        values |= {"layout": _text(described), "extra_labels": _text(sheet.extra_labels)}
        values |= {"gold": layout.gold.tobytes(), "predicted": sheet.predicted.tobytes()}
    return values


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""From a value of a column to its text; `json.dumps` makes an encoder for each of 400,000."""
