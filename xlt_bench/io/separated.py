"""Tab- and comma-separated files from outside, read so that row i stands in line i + 1."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from xlt_bench.io.text_files import Fault, read_text

_LONGEST_FIELD = 2**31 - 1  # what csv refuses by default are fields over 131,072 characters


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
