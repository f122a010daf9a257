"""Tab- and comma-separated files, read so that row i stands in line i + 1."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from xlt_bench.errors import DataError

Fault = Callable[[Path, int, str], DataError]
"""Path, line and what is wrong there -> the error."""


def read_separated(path: Path, fault: Fault, *, delimiter: str = "\t", quoted: bool = True) -> list[list[str]]:
    """The rows of a UTF-8 file, its header first.

    Args:
        fault: makes the errors for what is wrong in a line.
        quoted: whether a field may be quoted as `csv` has it (its own marks doubled); else marks are text.

    Raises:
        DataError: it cannot be read, is not UTF-8, or a row goes over several lines.
    """
    text = _text(path, fault)
    if not quoted:
        lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
        return [line.split(delimiter) for line in lines]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error as error:
        raise fault(path, len(rows) + 1, f"{error}; a quotation mark may be open") from None
    if reader.line_num != len(rows):
        wide = next(line for line, row in enumerate(rows, 1) if any("\n" in field or "\r" in field for field in row))
        raise fault(path, wide, "a text goes over several lines; a quotation mark may be open")
    return rows


def _text(path: Path, fault: Fault) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; it must be readable for you") from error
    try:
        return content.decode("utf-8").removeprefix("\ufeff")  # as some editors and spreadsheets begin a file
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise fault(path, line, f"byte {error.start} is not UTF-8") from None
