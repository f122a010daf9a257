"""Tab- and comma-separated files, read so that item i stands in a known line.

They are not read by `datasets`: its reader (pandas) takes short rows, blank lines and an open quotation mark for data,
guesses types (`NA`, `1e5`), and knows no line numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.tasks.files.tables import CORRECT, Fault, RowTable, Value, check_header
from xlt_bench.tasks.files.text_files import read_text

DELIMITERS = {".tsv": "\t", ".csv": ","}
_LONGEST_FIELD = 2**31 - 1  # what csv refuses by default are fields over 131,072 characters


def separated_table(path: Path, names: Sequence[str], *, quoted: bool, toml: Path) -> RowTable:
    """The named columns of a file.

    Args:
        quoted: whether a field may be quoted as `csv` has it (its own marks doubled); else marks are text.
        toml: the task's file, for errors.

    Raises:
        DataError: it cannot be read, is not UTF-8, lacks a column, or a row goes over several lines or is too short.
    """
    unquoted = f', or if marks are text, say quotes = "none" in {toml}' if quoted else ""

    def fault(where: Path, line: int, reason: str) -> DataError:
        return DataError(f"{where}, line {line}: {reason}; {CORRECT}{unquoted}")

    rows = read_separated(path, fault, delimiter=DELIMITERS[path.suffix], quoted=quoted)
    header = rows[0] if rows else []
    check_header(f"{path}, line 1", header, names, toml)
    wrong = next((line for line, row in enumerate(rows, 1) if len(row) != len(header)), None)
    if wrong is not None:
        raise fault(path, wrong, f"{len(rows[wrong - 1])} columns, not {len(header)} as in the header")
    positions = {name: header.index(name) for name in names}
    columns: dict[str, list[Value]] = {
        name: [row[position] for row in rows[1:]] for name, position in positions.items()
    }
    return RowTable(str(path), columns, "line", header_lines=1)


def read_separated(path: Path, fault: Fault, *, delimiter: str = "\t", quoted: bool = True) -> list[list[str]]:
    """The rows of a UTF-8 file, its header first; row i stands in line i + 1.

    Raises:
        DataError: it cannot be read, is not UTF-8, or a row goes over several lines.
    """
    text = read_text(path, fault)
    if not quoted:
        lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
        return [line.split(delimiter) for line in lines]
    rows: list[list[str]] = []
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows.extend(reader)
    except csv.Error as error:
        raise fault(path, len(rows) + 1, f"{error}; a quotation mark may be open") from None
    finally:
        csv.field_size_limit(limit)  # it is the process's: others may rely on it
    if reader.line_num != len(rows):
        number = next(line for line, row in enumerate(rows, 1) if any("\n" in field or "\r" in field for field in row))
        raise fault(path, number, "a text goes over several lines; a quotation mark may be open")
    return rows
