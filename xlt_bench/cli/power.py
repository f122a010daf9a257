"""`xlt-bench power`: before the runs, how many of them a difference needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.cli.options import STORE, LevelOption, StoreOption, TaskFilter
from xlt_bench.runs.option_values import check_level

if TYPE_CHECKING:
    from rich.console import Group

    from xlt_bench.leaderboard.compare.planning import PowerPlan


def power(
    first: Annotated[str, typer.Argument(metavar="A", help="A row with several seeds: label, label:sources, digits.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another row, of a method much like the planned one.")],
    effect: Annotated[float, typer.Option(help="The true difference that is to be found, in percentage points.")] = 2.0,
    targets: Annotated[
        str | None,
        typer.Option(help="The target group. [default: the task's primary one]", autocompletion=completer("groups")),
    ] = None,
    chance: Annotated[float, typer.Option("--power", help="Chance to find it.")] = 0.8,
    comparisons: Annotated[int, typer.Option(help="Tests that p is corrected for, this one among them.")] = 1,
    level: LevelOption = 0.95,
    task: TaskFilter = None,
    store: StoreOption = STORE,
) -> None:
    """How many seeds and test items a difference needs, with the variances seen between two rows.

    Example: xlt-bench power xpe spt --effect 2
    """
    from rich.console import Console

    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.compare.planning import plan_power
    from xlt_bench.records.store import Store

    check_level(level)
    chosen = Filter(task=task, targets=targets)
    plan = plan_power(
        Store(store), chosen, first, second, effect / 100, level=level, power=chance, comparisons=comparisons
    )
    Console(highlight=False).print(_view(plan))


def _view(plan: PowerPlan) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from xlt_bench.io.texts import clean

    items = sorted({clusters for _, clusters in plan.detectable})
    table = Table("seeds of each", *(f"{clusters} items" for clusters in items), header_style="bold")
    for seeds in sorted({seeds for seeds, _ in plan.detectable}):
        differences = [plan.detectable[seeds, clusters] for clusters in items]
        cells = [
            Text(
                f"{100 * difference.estimate:.1f} ({100 * difference.low:.1f}-{100 * difference.high:.1f})",
                style="bold green" if difference.estimate <= plan.effect else "",
            )
            for difference in differences
        ]
        table.add_row(str(seeds), *cells)
    return Group(
        Text(
            f"{clean(plan.group)} ({plan.languages} languages): {clean(plan.a)} less {clean(plan.b)} is "
            f"{100 * plan.difference:+.1f} points, {plan.seeds[0]} and {plan.seeds[1]} seeds, {plan.clusters} items "
            "(clusters, where items form them)",
            style="bold",
        ),
        Text(
            f"The least true difference in points that is found with {100 * plan.power:g}% power at alpha "
            f"{100 * (1 - plan.level):.3g}%; in parentheses how uncertain that is (90%):"
        ),
        table,
        *(Text(line) for line in _conclusion(plan)),
    )


def _conclusion(plan: PowerPlan) -> list[str]:
    """What the effect needs, on the items as they are and on more."""
    effect = f"{100 * plan.effect:g} points"
    seen, safe = plan.needed_seeds(plan.clusters), plan.needed_seeds(plan.clusters, safely=True)
    if seen is not None:
        text = f"{effect} need {seen} seeds of each on these {plan.clusters} items"
        return [text + (f"; to be safe, {safe}." if safe is not None else "; to be safe, more items.")]
    more = sorted({clusters for _, clusters in plan.detectable if plan.needed_seeds(clusters) is not None})
    text = f"{effect} are not found on these {plan.clusters} items, however many seeds"
    return [f"{text}; {more[0]} items and {plan.needed_seeds(more[0])} seeds would do." if more else f"{text}."]
