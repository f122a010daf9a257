"""JSON Lines, plain or packed with gzip: one object a line.

They are not read by `datasets`: its reader takes texts that look like dates for points in time (`2021-05-01` comes back
as `2021-05-01 00:00:00`), and knows no line numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from xlt_bench.errors import DataError
from xlt_bench.io.text_files import read_text
from xlt_bench.tasks.files.tables import CORRECT, RowTable, Value, check_header


def json_lines_table(path: Path, names: Sequence[str], toml: Path) -> RowTable:
    """The named fields of every line; blank lines at the end are no items.

    Raises:
        DataError: it cannot be read, or a line is no JSON object with these fields, texts or whole numbers.
    """
    columns: dict[str, list[Value]] = {name: [] for name in names}
    text = read_text(path, _fault).rstrip("\r\n")
    for number, line in enumerate(text.split("\n") if text else [], 1):
        fields = _object(path, number, line)
        check_header(f"{path}, line {number}", list(fields), names, toml)
        for name in names:
            value = fields[name]
            if not (value is None or isinstance(value, str) or type(value) is int):
                raise _fault(path, number, f"'{name}' is {type(value).__name__}, not a text")
            columns[name].append(value)
    return RowTable(str(path), columns, "line")


def _object(path: Path, number: int, line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deep or a number too long"
        raise _fault(path, number, f"no JSON: {reason}") from None
    if not isinstance(value, dict):
        raise _fault(path, number, 'no JSON object, such as {"text": "...", "label": "..."}')
    return value


def _fault(path: Path, line: int, reason: str) -> DataError:
    return DataError(f"{path}, line {line}: {reason}; {CORRECT}")
