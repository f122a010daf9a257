"""A table of many Records in one Parquet file, a row each: the form of packs, and of the index of a store.

Parquet keeps equal texts of a column once, and here each is parsed once, so that Records share what they have in
common. The answers are read only where a Sheet is asked for. `table_columns` says which columns there are,
`table_writing` writes them.

A table that is open stays as it is when its file is replaced.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import MISSING, Field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.answers import Classes, ItemLayout, Sheet
from xlt_bench.records.cell import TUPLES, Cell
from xlt_bench.records.record import FIELD_READERS, Record
from xlt_bench.records.table_columns import (
    CELL_FIELDS,
    FIRST,
    FORMAT,
    FURTHER,
    IN_CELL,
    MANIFEST_COLUMNS,
    NAMES_OF_ITEMS,
    RECORD_FIELDS,
    RecordRow,
    schema,
)

if TYPE_CHECKING:
    from pyarrow import Array, DictionaryArray

_NO_TEXT = -1


class UnreadableTableError(Exception):
    """A file is no table of Records, or is damaged; the message says why, in one line."""


class RecordTable:
    """A table that was opened; columns are read when they are needed.

    Raises:
        UnreadableTableError: as its name says; any method may raise it.

    Attributes:
        positions: fingerprint -> number of the row.
        signatures: of each row.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as parquet

        self.path = path
        with self._reading():
            self._file = parquet.ParquetFile(path, page_checksum_verification=True)
            metadata = self._file.schema_arrow.metadata or {}
            if any(metadata.get(key) != value for key, value in FORMAT.items()):
                raise ValueError("it is no table of Records of this version of xlt-bench")
            unknown = sorted(set(self._file.schema_arrow.names) - set(schema().names))
            if unknown:
                raise ValueError(f"column {unknown[0]} is of a newer version of xlt-bench; upgrade it")
            sizes = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
            self._starts = [0, *accumulate(sizes)]
            self._columns: dict[str, _Column] = {}
            rows = range(self._starts[-1])
            identities = ("fingerprint", "configuration", "signature")
            texts = [column.values(rows) for column in self._named(identities)]
        self._fingerprints, self._configurations, self.signatures = texts
        self.positions = {fingerprint: row for row, fingerprint in enumerate(self._fingerprints)}
        self._records: dict[int, Record] = {}
        # of a group of rows, for as long as a Sheet of it is in use: each is a view
        self._answers: WeakValueDictionary[int, NDArray[np.int8]] = WeakValueDictionary()
        self._offsets: dict[int, NDArray[np.int32]] = {}
        self._last_answers: NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self._fingerprints)

    def records(self, rows: Sequence[int]) -> list[Record]:
        """The Records of these rows; the same objects each time."""
        missing = [row for row in rows if row not in self._records]
        with self._reading():
            columns = [column.values(missing) for column in self._named(MANIFEST_COLUMNS)]
            for row, *values in zip(missing, *columns, strict=True):
                in_cell = dict(zip(CELL_FIELDS, values, strict=False))
                cell = Cell.of_known_identity(in_cell, self._fingerprints[row], self._configurations[row])
                of_record = dict(zip(RECORD_FIELDS, values[len(CELL_FIELDS) :], strict=True))
                self._records[row] = Record.of_checked(cell, of_record)
        return [self._records[row] for row in rows]

    def sheet(self, row: int) -> Sheet | None:
        """The Sheet of a row; None where there are no answers to single items."""
        with self._reading():
            layout, extra_labels = self._layouts[row]
            if layout is None:
                return None
            return Sheet(layout, extra_labels, _classes(self._content(row), layout.gold.shape))

    def _content(self, row: int) -> NDArray[np.int8]:
        """The answers of a row as they were written, one or two bytes each."""
        group = bisect_right(self._starts, row) - 1
        answers = self._answers.get(group)
        if answers is None:
            column = self._file.read_row_group(group, columns=["predicted"], use_threads=False).column(0)
            _, offsets, content = column.combine_chunks().buffers()
            answers = np.frombuffer(content, np.int8)
            self._answers[group], self._offsets[group] = answers, np.frombuffer(offsets, np.int32)
        self._last_answers = answers
        first = row - self._starts[group]
        start, end = self._offsets[group][first : first + 2].tolist()
        return answers[start:end]

    @cached_property
    def _layouts(self) -> list[tuple[ItemLayout | None, tuple[str, ...]]]:
        """Of each row the ItemLayout, and the answers beside its labels; equal ItemLayouts are one object."""
        rows = range(len(self))
        described, gold, extra_labels = (
            column.values(rows) for column in self._named(("layout", "gold", "extra_labels"))
        )
        layouts: dict[tuple[int, int], ItemLayout] = {}
        result: list[tuple[ItemLayout | None, tuple[str, ...]]] = []
        for plain, classes, names in zip(described, gold, extra_labels, strict=True):
            key = (id(plain), id(classes))  # equal values of a column are one object
            if plain is not None and key not in layouts:
                layouts[key] = _layout(plain, classes)
            result.append((layouts.get(key), tuple(names or ())))
        return result

    def row(self, number: int) -> RecordRow:
        """All of a row."""
        (record,) = self.records([number])
        return RecordRow(record, self._plain(number), self.sheet(number), self.signatures[number])

    def _plain(self, row: int) -> dict[str, Any]:
        """The manifest as it was."""
        names = (*FIRST, *MANIFEST_COLUMNS, FURTHER)
        texts = {name: column.text(row) for name, column in zip(names, self._named(names), strict=True)}
        plain = {name: json.loads(text) for name, text in texts.items() if text is not None and name not in FIRST}
        cell = {name: plain[IN_CELL + name] for name in CELL_FIELDS if IN_CELL + name in plain}
        first = {
            "schema_version": int(texts["schema_version"] or 0),
            "fingerprint": texts["fingerprint"],
            "configuration": texts["configuration"],
        }
        further = plain.pop(FURTHER, {})
        return {**first, "cell": cell, **{name: plain[name] for name in RECORD_FIELDS if name in plain}, **further}

    def _named(self, names: Sequence[str]) -> list[_Column]:
        """These columns, of which those are read that were not."""
        missing = [name for name in names if name not in self._columns]
        if missing:
            table = self._file.read(columns=missing, use_threads=False)
            for name in missing:  # one that is not there is of a field that is younger than the table
                chunks = table.column(name).chunks if name in table.column_names else None
                self._columns[name] = _Column(chunks, self._starts[-1], _READERS[name])
        return [self._columns[name] for name in names]

    def _reading(self) -> AbstractContextManager[None]:
        return _reading(self.path)


class _Column:
    """A column of texts, each parsed once.

    Args:
        chunks: dictionary arrays, one a group of rows; None: no row has a text.
        rows: how many.
        read: from a text, or from None, to the value.
    """

    def __init__(self, chunks: Sequence[DictionaryArray] | None, rows: int, read: Callable[[Any], Any]) -> None:
        self._read = read
        self._distinct: list[Array] = []
        self._firsts: list[int] = []  # the number of the first text of each of `_distinct`
        numbers = [np.full(rows if chunks is None else 0, _NO_TEXT, np.int32)]  # of all distinct texts
        first = 0
        for chunk in chunks or ():
            indices = chunk.indices
            if indices.null_count:  # pyarrow.compute, which fills gaps, takes a tenth of a second to import
                positions = [_NO_TEXT if index is None else first + index for index in indices.to_pylist()]
                numbers.append(np.array(positions, np.int32))
            else:
                numbers.append(first + np.from_dlpack(indices).astype(np.int32, copy=False))
            self._distinct.append(chunk.dictionary)
            self._firsts.append(first)
            first += len(chunk.dictionary)
        self._numbers = np.concatenate(numbers)
        self._values = np.full(first + 1, None, object)  # by number; the last one is of no text
        self._is_read = np.zeros(first + 1, bool)

    def text(self, row: int) -> Any:
        """The text of a row; None where it has none."""
        return self._text(int(self._numbers[row]))

    def values(self, rows: Sequence[int]) -> list[Any]:
        """The values of these rows; those of equal texts are one object."""
        numbers = self._numbers[np.asarray(rows, np.intp)]
        by_text: dict[Any, Any] = {}  # groups of rows have their texts each by itself
        for number in np.unique(numbers[~self._is_read[numbers]]).tolist():
            text = self._text(number)
            if text not in by_text:
                by_text[text] = self._read(text)
            self._values[number] = by_text[text]
            self._is_read[number] = True
        values: list[Any] = self._values[numbers].tolist()
        return values

    def _text(self, number: int) -> Any:
        if number < 0:
            return None
        group = bisect_right(self._firsts, number) - 1
        return self._distinct[group][number - self._firsts[group]].as_py()


def _reader(field: Field[Any], convert: Callable[[Any], Any] | None) -> Callable[[str | None], Any]:
    def read(text: str | None) -> Any:
        if text is None:
            return field.default_factory() if field.default_factory is not MISSING else field.default
        value = json.loads(text)
        if convert is not None:
            return convert(value)
        # the keys of a thousand tables of accuracies are the same languages
        return {sys.intern(key): inner for key, inner in value.items()} if isinstance(value, dict) else value

    return read


class _Scores(Mapping[str, float]):
    """Scores by language, parsed when they are first looked at: a board does not, and they are half of all text."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _values(self) -> dict[str, float]:
        return {sys.intern(code): score for code, score in json.loads(self._text).items()}

    def __getitem__(self, code: str) -> float:
        return self._values[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


def _scores(text: str | None) -> Mapping[str, float]:
    return {} if text is None else _Scores(text)


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **{IN_CELL + name: _reader(field, tuple if name in TUPLES else None) for name, field in CELL_FIELDS.items()},
    **{name: _reader(field, FIELD_READERS.get(name)) for name, field in RECORD_FIELDS.items()},
    **dict.fromkeys(("accuracy", "macro_f1"), _scores),
    **dict.fromkeys((FURTHER, "layout", "extra_labels"), _parsed),
    **{name: lambda content: content for name in (*FIRST, "signature", "gold")},
}
"""Column -> what makes its value of a text."""


def _layout(described: Mapping[str, Any], gold: bytes) -> ItemLayout:
    codes, items, clusters, labels = (tuple(described[name]) for name in NAMES_OF_ITEMS)
    classes = _classes(np.frombuffer(gold, np.int8), (len(codes), len(items)))
    order = np.array(described["order"], np.intp) if "order" in described else None
    return ItemLayout(codes, items, clusters, labels, classes, order)


def _classes(content: NDArray[np.int8], shape: tuple[int, ...]) -> Classes:
    """Classes (languages, items) from bytes, one or two each."""
    if len(content) == 2 * shape[0] * shape[1]:
        return content.view(np.int16).reshape(shape)
    return content.reshape(shape)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say in one way whatever is wrong with a file."""
    import pyarrow as arrow

    try:
        yield
    except (OSError, arrow.ArrowException, KeyError, TypeError, ValueError) as error:
        fault = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableTableError(f"{path} cannot be read ({fault})") from error
