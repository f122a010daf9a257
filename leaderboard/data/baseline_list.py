"""The list of stored baselines and of what was imported into a store: evidence, setting, source and licence."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.data.published import published
from xlt_bench.records.record import Record


def listed(records: Sequence[Record]) -> Group:
    """What `xlt-bench ls baselines` prints: the stored baselines, and what was imported into a store.

    Args:
        records: of the store; our own runs among them are left out.
    """
    listed_records = [record for record, _ in published().values()] + [record for record in records if record.setting]
    numbers = {origin: f"[{number}]" for number, origin in enumerate(dict.fromkeys(map(_origin, listed_records)), 1)}
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in ("baseline", "sources", "evidence", "setting", "from"):
        table.add_column(column, overflow="fold")
    for record in listed_records:
        cells = (record.row_label, record.sources_label, record.evidence, record.setting, numbers[_origin(record)])
        table.add_row(*(Text(clean(cell)) for cell in cells))
    origins = [
        Text(f"{number} {clean(source)}; licence: {clean(licence) or 'not said'}")
        for (source, licence), number in numbers.items()
    ]
    return Group(table, *origins)


def _origin(record: Record) -> tuple[str, str]:
    return record.source, record.licence
