"""`xlt-bench forget`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.options import STORE, StoreOption
from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from xlt_bench.records.record import Record


def forget(
    rows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ROW]...", help="Rows: label, label:sources, or first digits; or single Records."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All failed runs.")] = False,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="All rows that a later version of a plug-in's file stands for.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = STORE,
) -> None:
    """Remove Records for good: list what goes, ask, then remove predictions, weights and all.

    With rows and --failed or --superseded, only those of the rows' Records that are such.

    Example: xlt-bench forget "xpe, 20 steps" --failed
    """
    from rich.console import Console

    from xlt_bench.cli import listing
    from xlt_bench.cli.printing import readable_records
    from xlt_bench.records.store import Store

    if not (rows or failed or superseded):
        raise ConfigError("forget what? name rows or Records of: xlt-bench ls records; or give --failed, --superseded")
    results = Store(store)
    stored = readable_records(results)
    chosen = _chosen(rows or [], failed, superseded, stored, store)
    if not chosen:
        print("nothing to forget")
        return
    Console(highlight=False).print(listing.records(chosen))
    if not yes and not _confirmed(len(chosen), store):
        raise typer.Exit(1)
    results.forget([record.cell.fingerprint for record in chosen])
    print(f"{len(chosen)} Records removed from {store}")


def _chosen(rows: list[str], failed: bool, superseded: bool, stored: list[Record], store: Path) -> list[Record]:
    """In the store's order."""
    from xlt_bench.cli.rows import record_named, records_of_row
    from xlt_bench.leaderboard.data.versions import by_version

    named: set[str] = set()
    for row in rows:
        single = record_named(row, stored)
        row_records = records_of_row(row, stored, store) if single is None else [single]
        named.update(record.cell.fingerprint for record in row_records)
    useless = {record.cell.fingerprint for record in stored if failed and not record.complete}
    if superseded:
        useless.update(record.cell.fingerprint for record in by_version(stored).superseded)
    if rows and not (failed or superseded):
        useless = named
    chosen = named & useless if rows else useless
    return [record for record in stored if record.cell.fingerprint in chosen]


def _confirmed(count: int, store: Path) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError("nobody can be asked here, so nothing was removed; add --yes")
    question = f"Remove these {count} Records from {store}? Boards will no longer count what they tried."
    return typer.confirm(question, err=True)
