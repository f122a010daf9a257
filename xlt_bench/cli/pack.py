"""`xlt-bench pack`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def pack(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A folder of Records.")],
    undo: Annotated[bool, typer.Option("--undo", help="Give each packed Record a folder of its own again.")] = False,
) -> None:
    """Put the Records of a store into one file, records.parquet, in place of a folder each.

    Every command reads them as before, and new Records go into folders. Those with weights stay in folders, and those
    that a process works on. Nothing is removed before what stands for it was written and read again.

    Example: xlt-bench pack xlt-results
    """
    from xlt_bench.cli.printing import existing_store
    from xlt_bench.io.texts import clean
    from xlt_bench.records import packing

    results = existing_store(store)
    outcome = packing.unpack(results) if undo else packing.pack(results)
    for reason, count in Counter(outcome.skipped.values()).items():
        example = next(folder for folder, why in outcome.skipped.items() if why == reason)
        print(clean(f"{count} left in folders, such as {example.name}: {reason}"), file=sys.stderr)
    if undo:
        had_pack = outcome.moved or outcome.skipped
        print(f"{outcome.moved} Records of {store} have folders again" if had_pack else f"nothing is packed in {store}")
        return
    table = results.pack.table()
    print(f"{outcome.moved} Records packed, {0 if table is None else len(table)} now in {results.pack.path}")
