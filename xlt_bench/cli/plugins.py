"""`xlt-bench check-method` and `xlt-bench new-method`: for authors of methods."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.cli.options import JsonOption


class Kind(StrEnum):
    """Choices of --kind."""

    SOFT_PROMPT = "soft-prompt"
    PROTOCOL = "protocol"


def check_method(
    method: Annotated[str, typer.Argument(metavar="NAME|FILE:CLASS", help="As for `run --method`.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Hyper-parameter as name=value; may be repeated.")
    ] = None,
    expected: Annotated[
        list[str] | None,
        typer.Option("--expect-failure", metavar="CHECK=REASON", help="A check known to fail; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a method keeps to the rules that comparisons rest on: a toy task, a tiny backbone, some seconds."""
    from rich.console import Console

    from xlt_bench import conformance
    from xlt_bench.conformance.view import parse_expected, progress_of, table_of
    from xlt_bench.plugins.hyperparameters import parse_settings
    from xlt_bench.plugins.methods import configure

    notes = Console(stderr=True, highlight=False, markup=False)
    declared = parse_expected(expected or [])
    with redirect_stdout(sys.stderr):  # what a method prints must not end up among the results
        configured = configure(method, parse_settings(settings or []))
        with progress_of(notes, len(conformance.CHECKS)) as on_result:
            report = conformance.check_method(
                configured.method, expected_failures=declared, label=configured.label, on_result=on_result
            )
    if as_json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        Console(highlight=False).print(table_of(report))
    if not report.passed:
        raise typer.Exit(1)


def new_method(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words: low-rank.")],
    kind: Annotated[
        Kind, typer.Option(help="soft-prompt: its module and parameter groups only. protocol: everything itself.")
    ] = Kind.SOFT_PROMPT,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder to write into.")] = Path(),
) -> None:
    """Write a working starting file for a method, with its test."""
    from xlt_bench.plugins.templates import write_method

    file, test, class_name = write_method(name, kind.value, to)
    reference = shlex.quote(f"{file}:{class_name}")
    print(f"written: {file} and {test}")
    print(f"check it: xlt-bench check-method {reference}   (or: python -m pytest {shlex.quote(str(test))})")
    print(f"run it:   xlt-bench run --method {reference} --sources seen")
