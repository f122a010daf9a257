"""`xlt-bench check-method`: for authors of methods."""

from __future__ import annotations

import json
import secrets
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
    checks: Annotated[
        list[str] | None, typer.Option("--check", metavar="CHECK", help="Only this check; may be repeated.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of the toy task's classes, languages, sizes and items. [default: drawn, and told]"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a method keeps to the rules that comparisons rest on: a toy task, a tiny backbone, some seconds.

    Example: xlt-bench check-method low_rank.py:LowRank
    """
    from rich.console import Console

    from xlt_bench.conformance.asking import Question, check_in_child
    from xlt_bench.conformance.view import CheckProgress, parse_expected, table_of
    from xlt_bench.plugins.hyperparameters import parse_settings

    question = Question(
        method,
        parse_settings(settings or []),
        parse_expected(expected or []),
        checks,
        seed if seed is not None else secrets.randbelow(10_000),
    )
    with CheckProgress(Console(stderr=True, highlight=False, markup=False)) as progress:
        report = check_in_child(question, progress.begin, progress.add)
    if as_json:
        print(json.dumps(report.as_json(), indent=1, ensure_ascii=False))
    else:
        Console(highlight=False).print(table_of(report))
    if not report.passed:
        raise typer.Exit(1)
