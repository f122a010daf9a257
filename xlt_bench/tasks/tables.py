"""Tables shipped with a task: `#` lines say where the facts come from, then a header, then rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib.resources import files

from xlt_bench.task import Language


def read_lines(package: str, name: str) -> list[str]:
    """The lines of a file inside `package`, without its `#` lines and blank ones."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def read_table(package: str, name: str) -> list[dict[str, str]]:
    """The rows of a shipped table, comma-separated or, with the ending `.tsv`, tab-separated without quoting."""
    lines = read_lines(package, name)
    if name.endswith(".tsv"):
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return list(csv.DictReader(lines))


def languages_of(rows: Iterable[dict[str, str]]) -> dict[str, Language]:
    """Languages by code, from rows with the columns code, name, family and joshi (empty: no class)."""
    return {row["code"]: _language(row) for row in rows}


def flagged(rows: Iterable[dict[str, str]], column: str) -> frozenset[str]:
    """The codes of the rows with 1 in a column of 0 and 1."""
    return frozenset(row["code"] for row in rows if row[column] == "1")


def _language(row: dict[str, str]) -> Language:
    joshi = int(row["joshi"]) if row["joshi"] else None
    return Language(row["code"], row["name"], row["code"].partition("_")[2], row["family"], joshi)
