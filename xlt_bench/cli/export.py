"""`xlt-bench export`: a trained prompt as an adapter of peft."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, StoreOption


def export(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="A fingerprint of `ls records`, or first digits.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the adapter, new or empty.")],
    store: StoreOption = STORE,
    backbone: Annotated[
        str | None, typer.Option(help="Where the run's backbone lies now. [default: where the run found it]")
    ] = None,
    base_model: Annotated[
        str | None, typer.Option(help="Hub id by which the adapter names its backbone. [default: as the run did]")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", help="Of the adapter, as the hub writes it: cc-by-sa-4.0.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also into a folder that is not empty.")] = False,
) -> None:
    """Write a trained soft prompt and its head as a standard PEFT prompt-tuning adapter, with a model card.

    Example: xlt-bench export 1c9f3a --to my-adapter
    """
    from xlt_bench.adapters.export import Export
    from xlt_bench.adapters.export import export as write

    exported = write(Export(record, to, store, backbone, base_model, licence, overwrite))
    cell = exported.record.cell
    print(f"{exported.record.row_label}, seed {cell.seed}, Record {cell.fingerprint}: written to {to}")
    for line in (*exported.notes, f"files: {', '.join(exported.files)}; README.md shows how to load it"):
        print(line)
