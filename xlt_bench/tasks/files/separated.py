"""Tab- and comma-separated files, read so that item i stands in a known line.

They are not read by `datasets`: its reader (pandas) takes short rows, blank lines and an open quotation mark for data,
guesses types (`NA`, `1e5`), and knows no line numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.io.separated import read_separated
from xlt_bench.tasks.files.tables import CORRECT, RowTable, Value, check_header

DELIMITERS = {".tsv": "\t", ".csv": ","}


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
