"""The values of one table, each checked that can be checked by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xlt_bench.errors import DataError
from xlt_bench.io.texts import shortened
from xlt_bench.task import Split
from xlt_bench.tasks.files.columns import Columns
from xlt_bench.tasks.files.layout import Layout
from xlt_bench.tasks.files.tables import CORRECT, RowTable, Value

_NUMERAL = re.compile(r"([+-]?\d{1,30})(?:\.0*)?")
"""A whole number as a label may be written, in any script's digits: 2, -1, 02, 2.0."""


@dataclass(frozen=True)
class CheckedRows:
    """The items of one table, in its order.

    Attributes:
        rows: where each item stands in the table, counted from 0; some rows may have been left out.
        gold: positions in the task's labels.
        ids, pairs: None where the task has no such column.
        clusters: of test items, None where the task gives none.
    """

    table: RowTable
    rows: tuple[int, ...]
    gold: tuple[int, ...]
    texts: tuple[str, ...]
    ids: tuple[str, ...] | None
    pairs: tuple[str, ...] | None
    clusters: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def lines(self) -> int:
        """Rows of the table, also those that were left out."""
        return len(next(iter(self.table.columns.values())))

    def place(self, item: int) -> str:
        """File and line of an item."""
        return self.table.place(self.rows[item])


def checked_part(table: RowTable, columns: Columns, split: Split, layout: Layout) -> CheckedRows:
    """Check a table's values.

    Raises:
        DataError: the first rule that is broken, with file and line.
    """
    rows = _rows(table, columns, layout)
    if not rows:
        raise DataError(f"{table.origin} has no items; every file needs at least one")
    return CheckedRows(
        table=table,
        rows=rows,
        gold=_gold(table, columns.label, rows, layout),
        texts=_texts(table, columns.text, rows),
        ids=_ids(table, columns.id, rows) if columns.id else None,
        pairs=_texts(table, columns.text_pair, rows) if columns.text_pair else None,
        clusters=_clusters(table, columns.cluster, rows) if columns.cluster and split == "test" else None,
    )


def _rows(table: RowTable, columns: Columns, layout: Layout) -> tuple[int, ...]:
    """All rows, or those with texts where the task leaves the others out."""
    everything = range(len(table.columns[columns.text]))
    if layout.empty != "drop":
        return tuple(everything)
    texts = [table.columns[name] for name in (columns.text, columns.text_pair) if name is not None]
    return tuple(row for row in everything if not any(_is_empty(values[row]) for values in texts))


def _gold(table: RowTable, name: str, rows: Sequence[int], layout: Layout) -> tuple[int, ...]:
    values = table.columns[name]
    positions = _positions(table.classes.get(name), layout.labels)
    for row in rows:
        if values[row] not in positions:
            raise DataError(
                f"{table.place(row)}: unknown label {shortened(repr(values[row]))}; the labels are "
                f"{shortened(', '.join(layout.labels), 400)}; {CORRECT}, or labels in {layout.toml}"
            )
    return tuple(positions[values[row]] for row in rows)


def _positions(classes: tuple[str, ...] | None, labels: tuple[str, ...]) -> dict[Value, int]:
    """Value of a label column -> position in the task's labels.

    A text is the label itself. A number is what the file says that it stands for; else, where any label is a numeral,
    the one label that is this number; else a position.
    """
    positions: dict[Value, int] = {label: position for position, label in enumerate(labels)}
    numbers: dict[Value, int]
    numerals = [(int(match[1]), positions[label]) for label in labels if (match := _NUMERAL.fullmatch(label))]
    if classes is not None:
        numbers = {number: positions[name] for number, name in enumerate(classes) if name in positions}
    elif numerals:
        times = Counter(number for number, _ in numerals)
        numbers = {number: position for number, position in numerals if times[number] == 1}
    else:
        numbers = {position: position for position in range(len(labels))}
    return {**positions, **numbers}


def _texts(table: RowTable, name: str, rows: Sequence[int]) -> tuple[str, ...]:
    texts = []
    for row in rows:
        value = table.columns[name][row]
        if _is_empty(value):
            raise DataError(f"{table.place(row)}: '{name}' is empty; {CORRECT}")
        if not isinstance(value, str):
            raise DataError(f"{table.place(row)}: '{name}' is the number {shortened(value)}, not a text; {CORRECT}")
        texts.append(value)
    return tuple(texts)


def _ids(table: RowTable, name: str, rows: Sequence[int]) -> tuple[str, ...]:
    ids = []
    first: dict[str, int] = {}
    for row in rows:
        value = table.columns[name][row]
        if _is_empty(value):
            raise DataError(f"{table.place(row)}: '{name}' is empty; {CORRECT}")
        item = str(value)
        if first.setdefault(item, row) != row:
            earlier = table.place(first[item]).rpartition(", ")[2]
            raise DataError(f"{table.place(row)}: id '{shortened(item)}' is already in {earlier}; {CORRECT}")
        ids.append(item)
    return tuple(ids)


def _clusters(table: RowTable, name: str, rows: Sequence[int]) -> tuple[str, ...]:
    values: Mapping[int, Value] = {row: table.columns[name][row] for row in rows}
    empty = next((row for row, value in values.items() if _is_empty(value)), None)
    if empty is not None:
        raise DataError(
            f"{table.place(empty)}: '{name}' is empty; every test item needs its cluster, an item that "
            "stands for itself one of its own; or leave cluster out of [columns]"
        )
    return tuple(str(value) for value in values.values())


def _is_empty(value: Value) -> bool:
    return value is None or not str(value).strip()
