"""`xlt-bench prefetch`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.errors import ConfigError, XltBenchError
from xlt_bench.io.texts import clean

if TYPE_CHECKING:
    from xlt_bench.runs.loader import Loader


def prefetch(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TASK]...", help="Names of `ls tasks`, or paths of a task.toml.", autocompletion=completer("tasks")
        ),
    ] = None,
    backbones: Annotated[
        list[str] | None,
        typer.Option("--backbone", help="A further backbone; may be repeated. [default: those of the tasks]"),
    ] = None,
) -> None:
    """Fetch tasks and backbones from the hub into its cache now, for machines and nodes without a network.

    Example: xlt-bench prefetch sib200 --backbone xlm-roberta-base
    """
    from xlt_bench.runs.loader import Loader

    if not (tasks or backbones):
        raise ConfigError("prefetch what? name tasks of: xlt-bench ls tasks; or give --backbone")
    loader, failures = Loader(), 0
    for task in tasks or ():
        failures += not _is_fetched(f"task {task}", partial(_task, loader, task))
    for backbone in dict.fromkeys([*(backbones or ()), *_usual_backbones(loader, tasks or ())]):
        failures += not _is_fetched(f"backbone {backbone}", partial(_backbone, loader, backbone))
    if failures:
        raise typer.Exit(1)


def _task(loader: Loader, name: str) -> str:
    task = loader.task(name, None)
    return f"{len(task.languages)} languages, data {task.fingerprint[:8]}"


def _backbone(loader: Loader, name: str) -> str:
    source = loader.source(name)
    return f"hash {source.fingerprint[:8]} in {source.folder}"


def _usual_backbones(loader: Loader, tasks: Iterable[str]) -> Iterator[str]:
    """Those that the tasks take where none is named; a task that is none was said already."""
    for task in tasks:
        with suppress(XltBenchError):
            yield loader.info(task).backbone


def _is_fetched(subject: str, fetch: Callable[[], str]) -> bool:
    """Fetch and say what came of it, in a line."""
    try:
        print(clean(f"{subject}: {fetch()}"), flush=True)
    except XltBenchError as error:
        print(clean(f"{subject}: {error}"), file=sys.stderr, flush=True)
        return False
    return True
