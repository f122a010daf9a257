"""Raw tables in, the shipped shape of tables out (see `xlt_bench.baselines.tables`)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from xlt_bench.errors import DataError


def wide(
    comments: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    order: Sequence[str],
    columns: Mapping[str, str],
    written: Callable[[str], str],
) -> str:
    """A table with a row a language; `columns`: as written -> as in the raw rows."""
    lines = ((row["code"], *(written(row[name]) for name in columns.values())) for row in rows)
    return table(comments, ["code", *columns], in_order(lines, order))


def in_order(rows: Iterable[tuple[str, ...]], order: Sequence[str]) -> list[tuple[str, ...]]:
    """Rows by their language code, in the order of the task's languages."""
    by_code = {row[0]: row for row in rows}
    unknown = sorted(set(by_code) - set(order))
    if unknown:
        raise DataError(f"codes that the task lacks: {', '.join(unknown)}")
    return [by_code[code] for code in order if code in by_code]


def fraction(per_cent: str) -> str:
    """Per cent as a fraction, digit for digit: `60.77` is `0.6077`, `48` is `0.48`."""
    return format(Decimal(per_cent).scaleb(-2), "f")


def read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None


def table(comments: Sequence[str], header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines; no field holds a comma or a quotation mark."""
    lines = [*(f"# {comment}" for comment in comments), ",".join(header), *(",".join(row) for row in rows)]
    return "\n".join(lines) + "\n"
