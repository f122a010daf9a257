"""Columns as they were read from one file or one split of a data set, before their values are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlt_bench.errors import DataError, unknown

Value = str | int | None
"""What a cell of a table holds."""

CORRECT = "correct the file"


@dataclass(frozen=True)
class RowTable:
    """The rows of one file or split.

    Attributes:
        origin: path of the file, or name of the data set, its configuration and split.
        columns: name -> values, all of the same length.
        unit: what an item is there: a `line` of a text file, a `row` of anything else.
        header_lines: lines before the first item.
        classes: column -> names that its numbers stand for, where the file says so.
    """

    origin: str
    columns: Mapping[str, Sequence[Value]]
    unit: str
    header_lines: int = 0
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def place(self, item: int) -> str:
        """Where an item stands: file and line, counted from 1, the header included."""
        return f"{self.origin}, {self.unit} {item + 1 + self.header_lines}"


def check_header(where: str, header: Sequence[str], names: Sequence[str], toml: Path) -> None:
    """DataError for the first of the named columns that is missing or there twice."""
    for name in names:
        if name not in header:
            columns = ", ".join(header[:20]) + (f" and {len(header) - 20} more" if len(header) > 20 else "")
            see = f"[columns] in {toml} names them, and the file has {columns[:500] or 'none'}"
            raise DataError(f"{where}: {unknown('column', name, header, see)}")
        if list(header).count(name) > 1:
            raise DataError(f"{where}: column '{name}' is there twice; {CORRECT}")
