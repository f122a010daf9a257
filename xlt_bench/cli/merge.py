"""`xlt-bench merge`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xlt_bench.errors import ConfigError


def merge(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="A folder of Records, which stays as it is.")],
    target: Annotated[Path, typer.Argument(metavar="INTO", help="The folder that gets what it lacks; may be new.")],
) -> None:
    """Copy into a store what another one has more: Records, with weights, and the names that users gave to rows.

    A complete run takes the place of a failed one. Where both have other answers of one run, or other names of one row,
    these are named and nothing is copied.

    Example: xlt-bench merge from-the-cluster/xlt-results xlt-results
    """
    from xlt_bench.cli.printing import existing_store
    from xlt_bench.io.texts import clean
    from xlt_bench.records import merging
    from xlt_bench.records.store import Store

    if target.resolve() == source.resolve():
        raise ConfigError(f"FROM and INTO are one store, {source}; give two")
    from_store, into_store = existing_store(source), Store(target)
    plan = merging.plan_merge(from_store, into_store)
    merging.merge(plan, from_store, into_store)
    for line in plan.damaged:
        print(clean(f"not copied: {line}"), file=sys.stderr)
    print(f"{len(plan.new)} Records copied into {target}; {plan.shared} were there")
