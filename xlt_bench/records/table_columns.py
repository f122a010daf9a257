"""The columns of a table of Records (`xlt_bench.records.record_table`), and what a row of it is.

Each field of a manifest and of its cell is a column of JSON texts, and so is the layout of the items. The answers are a
column of bytes, a class each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from xlt_bench.records.answers import Sheet
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import SCHEMA_VERSION, Record

if TYPE_CHECKING:
    from pyarrow import Schema

FORMAT = {b"xlt-bench": b"records 2", b"schema_version": str(SCHEMA_VERSION).encode()}
"""What the file says of itself."""
CELL_FIELDS = {field.name: field for field in fields(Cell)}
RECORD_FIELDS = {field.name: field for field in fields(Record) if field.name not in ("cell", "given_label")}
FIRST = ("schema_version", "fingerprint", "configuration")
"""Keys of a manifest that are of no field; they come first, then the cell, then the fields."""
IN_CELL = "cell."
"""Before the names of a cell's fields."""
FURTHER = "further"
"""What a manifest has beside all these, one JSON object."""
MANIFEST_COLUMNS = (*(IN_CELL + name for name in CELL_FIELDS), *RECORD_FIELDS)
NAMES_OF_ITEMS = ("codes", "items", "clusters", "labels")
"""Fields of an ItemLayout that are texts."""
TEXTS = (*FIRST, *MANIFEST_COLUMNS, FURTHER, "layout", "extra_labels", "signature")


@dataclass(frozen=True)
class RecordRow:
    """A Record as a table has it.

    Attributes:
        plain: the manifest, all keys of it.
        sheet: of its answers to single items, where there are any.
        signature: of the files that it was read from, where those are still there.
    """

    record: Record
    plain: Mapping[str, Any]
    sheet: Sheet | None
    signature: str = ""


def schema() -> Schema:
    """Of the Parquet file; equal texts of a column are kept once."""
    import pyarrow as arrow

    def coded(kind: Any) -> Any:
        return arrow.dictionary(arrow.int32(), kind)

    texts = [(name, coded(arrow.string())) for name in TEXTS]
    arrays = [("gold", coded(arrow.binary())), ("predicted", arrow.binary())]
    return arrow.schema([*texts, *arrays], metadata=FORMAT)
