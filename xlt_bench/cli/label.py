"""`xlt-bench label`."""

from __future__ import annotations

from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, StoreOption


def label(
    row: Annotated[
        str, typer.Argument(metavar="ROW", help="A row: its label, label:sources, or first digits; or a Record.")
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new name; '' gives the usual one back.")],
    store: StoreOption = STORE,
) -> None:
    """Name a row of the tables, as `run --label` does; which runs it holds does not change.

    Example: xlt-bench label "xpe, 20 steps" "XPE, short"
    """
    from xlt_bench.cli.printing import readable_records
    from xlt_bench.cli.rows import records_of_row
    from xlt_bench.records.store import Store

    results = Store(store)
    record = records_of_row(row, readable_records(results), store)[0]
    results.labels.write(record.cell.configuration, text)
    renamed = results.find(record.cell.fingerprint)
    print(f"row {record.cell.configuration[:8]}: {getattr(renamed, 'row_label', text)}")
