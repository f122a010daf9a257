"""`xlt-bench ls`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from xlt_bench.cli.options import STORE, GroupsOption, SeenOption, StoreOption
from xlt_bench.cli.printing import readable_records


class Listed(StrEnum):
    """What `ls` lists."""

    METHODS = "methods"
    TASKS = "tasks"
    GROUPS = "groups"
    RECORDS = "records"
    BASELINES = "baselines"


def list_(
    what: Annotated[Listed, typer.Argument(help="methods, tasks, groups, records or baselines.")],
    task: Annotated[str, typer.Option(help="For groups: the task.")] = "cldr",
    backbone: Annotated[str | None, typer.Option(help="For groups: the backbone. [default: the task's]")] = None,
    groups: GroupsOption = None,
    seen: SeenOption = None,
    store: StoreOption = STORE,
) -> None:
    """List methods, tasks, language groups, stored Records or baselines."""
    from rich.console import Console

    from xlt_bench.cli import listing

    console = Console(highlight=False)
    if what is Listed.RECORDS:
        from xlt_bench.records.store import Store

        console.print(listing.records(readable_records(Store(store))))
    elif what is Listed.BASELINES:
        from xlt_bench.leaderboard.data.baseline_list import listed
        from xlt_bench.records.store import Store

        console.print(listed(readable_records(Store(store))))
    elif what is Listed.GROUPS:
        console.print(listing.groups(task, backbone, groups, seen))
    else:
        console.print(listing.methods() if what is Listed.METHODS else listing.tasks())
