"""What commands print alike."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlt_bench.records.record import Record
    from xlt_bench.records.store import Store


def readable_records(store: Store) -> list[Record]:
    """The store's Records; what cannot be read is named, counted and skipped."""
    from xlt_bench.io.texts import clean

    records, damaged = store.records()
    for folder in damaged:
        print(clean(f"skipped {folder.folder}: {folder.reason}"), file=sys.stderr)
    if damaged:
        print(f"{len(damaged)} of {len(records) + len(damaged)} Records skipped", file=sys.stderr)
    return records


def show_plain(content: Any) -> None:
    """Plain data as JSON, anything else as rich prints it."""
    if isinstance(content, dict):
        print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    Console(highlight=False).print(content)
