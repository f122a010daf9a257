"""`xlt-bench label`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.options import STORE, StoreOption
from xlt_bench.errors import ConfigError, unknown

if TYPE_CHECKING:
    from pathlib import Path

    from xlt_bench.records.record import Record


def label(
    row: Annotated[
        str, typer.Argument(metavar="ROW", help="A row: its label, label:sources, or first digits; or a Record.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new name; '' gives the usual one back.")],
    store: StoreOption = STORE,
) -> None:
    """Name a row of the tables, as `run --label` does; which runs it holds does not change."""
    from xlt_bench.cli.printing import readable_records
    from xlt_bench.records.store import Store

    results = Store(store)
    record = _record_of(row, readable_records(results), store)
    results.labels.write(record.cell.configuration, text)
    renamed = results.find(record.cell.fingerprint)
    print(f"row {record.cell.configuration[:8]}: {getattr(renamed, 'row_label', text)}")


def _record_of(row: str, records: list[Record], store: Path) -> Record:
    """A Record of the one row that is meant."""
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
    return next(iter(matching.values()))


def _is_meant(row: str, record: Record) -> bool:
    cell, name = record.cell, record.row_label
    if row in (name, f"{name}:{record.sources_label}"):
        return True
    return len(row) >= 4 and (cell.configuration.startswith(row) or cell.fingerprint.startswith(row))
