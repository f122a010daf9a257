"""`xlt-bench check-method`: for authors of methods."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.cli.options import JsonOption, declared


def check_method(
    method: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE:CLASS", help="As for `run --method`.", autocompletion=completer("methods")),
    ],
    settings: Annotated[list[str] | None, declared("settings")] = None,
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
