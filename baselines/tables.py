"""The shape of every shipped table: `#` lines, a header, rows; the first column is the key, the others are systems."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from types import MappingProxyType

from xlt_bench.tasks.sib200 import PACKAGE as SIB200_PACKAGE
from xlt_bench.tasks.tables import read_lines, read_table

PACKAGE = "xlt_bench.baselines"


def read_columns(name: str) -> dict[str, Mapping[str, str]]:
    """Column -> key -> text, in the file's order; empty cells are left out. `name` is that of a file in `data`."""
    header, *rows = csv.reader(read_lines(PACKAGE, f"data/{name}"))
    keys, *columns = zip(*rows, strict=True)
    return {
        system: MappingProxyType({key: text for key, text in zip(keys, column, strict=True) if text})
        for system, column in zip(header[1:], columns, strict=True)
    }


def read_accuracies(name: str) -> dict[str, Mapping[str, float]]:
    """Column -> key -> accuracy in [0, 1]."""
    return {
        system: MappingProxyType({key: float(text) for key, text in column.items()})
        for system, column in read_columns(name).items()
    }


def language_codes() -> tuple[str, ...]:
    """The 205 languages of SIB-200, in the task's order."""
    return tuple(row["code"] for row in read_table(SIB200_PACKAGE, "languages.csv"))
