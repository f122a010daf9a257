"""`xlt-bench new-method`: for authors of methods."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer


def new_method(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words: low-rank.")],
    kind: Annotated[
        Literal["soft-prompt", "own-loss", "tuned-encoder", "protocol"],
        typer.Option(help="What it brings: a prompt, a loss, weights in the encoder, or (protocol) everything."),
    ] = "soft-prompt",
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write into.")] = Path(),
) -> None:
    """Write a working starting file for a method, with its test.

    Example: xlt-bench new-method low-rank --kind soft-prompt
    """
    from xlt_bench.plugins.templates import write_method

    file, test, class_name = write_method(name, kind, to)
    reference = shlex.quote(f"{file}:{class_name}")
    print(f"written: {file} and {test}")
    print(f"check it: xlt-bench check-method {reference}   (or: python -m pytest {shlex.quote(str(test))})")
    print(f"run it:   xlt-bench run --method {reference} --sources seen")
