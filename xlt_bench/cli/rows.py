"""Which stored Records a user means by the name of a row, or by first digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError, unknown

if TYPE_CHECKING:
    from xlt_bench.records.record import Record

_FEWEST = 4
"""Digits of a fingerprint that name it."""


def records_of_row(row: str, records: Sequence[Record], store: Path) -> list[Record]:
    """All Records of the one row that is meant: by its label, label:sources, first digits, or those of a Record of it.

    Raises:
        ConfigError: nothing, or more than one row, answers to the name.
    """
    if not records:
        raise ConfigError(f"no runs in {store}, so no row to name; make some: xlt-bench run, or give --store")
    matching = {record.cell.configuration: record for record in records if _is_meant(row, record)}
    if not matching:
        names = sorted({record.row_label for record in records})
        raise unknown("row", row, names, ", ".join(names[:6]))
    if len(matching) > 1:
        ways = ", ".join(
            f"{digits[:8]} ({record.row_label}, {record.cell.task}, sources {record.sources_label})"
            for digits, record in matching.items()
        )
        raise ConfigError(f"'{row}' fits {len(matching)} rows; write one of {ways}")
    (configuration,) = matching
    return [record for record in records if record.cell.configuration == configuration]


def record_named(digits: str, records: Sequence[Record]) -> Record | None:
    """The one Record whose fingerprint begins with these digits, if there is just one."""
    fitting = [record for record in records if record.cell.fingerprint.startswith(digits)]
    return fitting[0] if len(digits) >= _FEWEST and len(fitting) == 1 else None


def _is_meant(row: str, record: Record) -> bool:
    cell, name = record.cell, record.row_label
    if row in (name, f"{name}:{record.sources_label}"):
        return True
    return len(row) >= _FEWEST and (cell.configuration.startswith(row) or cell.fingerprint.startswith(row))
