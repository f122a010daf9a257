"""What commands print alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shortened

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


def existing_store(folder: Path) -> Store:
    """The store in a folder.

    Raises:
        ConfigError: there is none.
    """
    from xlt_bench.records.store import FINGERPRINT, Store

    store = Store(folder)
    if not any(FINGERPRINT.fullmatch(name) for name in store.names()):  # any folder has folders
        raise ConfigError(f"{shortened(folder, 300)} is no store: it holds no Records; make some: xlt-bench run")
    return store


def show_plain(content: Any) -> None:
    """Plain data as JSON, anything else as rich prints it."""
    if isinstance(content, dict):
        print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    Console(highlight=False).print(content)
