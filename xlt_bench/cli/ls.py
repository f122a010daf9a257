"""`xlt-bench ls`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.cli.options import STORE, StoreOption, declared
from xlt_bench.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table


class Listed(StrEnum):
    """What `ls` lists."""

    METHODS = "methods"
    TASKS = "tasks"
    ENGINES = "engines"
    GROUPS = "groups"
    RECORDS = "records"
    BASELINES = "baselines"


def list_(
    listed: Annotated[Listed, typer.Argument(help="methods, tasks, engines, groups, records or baselines.")],
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[METHOD]", help="For methods: one of them in full.", autocompletion=completer("methods")
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="For groups: the task.", autocompletion=completer("tasks"))] = "cldr",
    backbone: Annotated[str | None, typer.Option(help="For groups: the backbone. [default: the task's]")] = None,
    groups: Annotated[Path | None, declared("groups_file")] = None,
    seen: Annotated[str | None, declared("seen")] = None,
    store: StoreOption = STORE,
) -> None:
    """List methods, tasks, engines, language groups, stored Records or baselines.

    Examples: xlt-bench ls methods; xlt-bench ls methods xpe; xlt-bench ls groups --task sib200
    """
    if name is not None and listed is not Listed.METHODS:
        raise ConfigError(f"ls {listed} takes no name; see: xlt-bench ls --help")
    if name is not None:
        from xlt_bench.cli.method_page import method_page

        print(method_page(name))
        return
    from xlt_bench.cli.plugin_list import plugin_list
    from xlt_bench.plugins.registry import ENGINES, METHODS

    kinds = {Listed.METHODS: METHODS, Listed.ENGINES: ENGINES}
    if listed in kinds:
        print(plugin_list(kinds[listed]))
        return
    from rich.console import Console

    from xlt_bench.cli import listing

    tables: dict[Listed, Callable[[], Table | Group]] = {
        Listed.TASKS: listing.tasks,
        Listed.GROUPS: lambda: listing.groups(task, backbone, groups, seen),
        Listed.RECORDS: lambda: _records(store),
        Listed.BASELINES: lambda: _baselines(store),
    }
    Console(highlight=False).print(tables[listed]())


def _records(store: Path) -> Table:
    from xlt_bench.cli import listing
    from xlt_bench.cli.printing import readable_records
    from xlt_bench.records.store import Store

    stored = readable_records(Store(store))
    if not stored:
        print(f"no Records in {store}; make some: xlt-bench run", file=sys.stderr)
    return listing.records(stored)


def _baselines(store: Path) -> Group:
    from xlt_bench.cli.printing import readable_records
    from xlt_bench.leaderboard.data.baseline_list import listed
    from xlt_bench.records.store import Store

    return listed(readable_records(Store(store)))
