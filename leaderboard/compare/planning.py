"""How many seeds and items a difference needs: the smallest one that larger experiments would find.

The variances are those seen between two rows, and the arithmetic is that of `compare`'s power line
(`xlt_bench.stats.detectable_difference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.boards import entries_in, groups_of_pair
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.references import find_entry
from xlt_bench.leaderboard.compare.comparison import check_pair
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.leaderboard.compare.pair import Pair
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import primary_group
from xlt_bench.records.store import Store
from xlt_bench.stats import DetectableDifference, detectable_difference

SEEDS = (2, 3, 5, 8, 10, 15, 20, 30, 50)
"""Numbers of seeds that are looked at."""
ITEMS = (1, 2, 4, 8)
"""Factors on the number of clusters of test items."""


@dataclass(frozen=True)
class PowerPlan:
    """What two rows tell of larger experiments; differences in the unit of the scores, [0, 1].

    Attributes:
        a, b: labels of the rows whose variances these are.
        group, languages: the target group, and how many of its languages both have.
        seeds, clusters: of the rows as they are; seeds of A and of B.
        difference: A less B as seen.
        level, power: of the test.
        effect: the true difference that is to be found.
        detectable: (seeds of each, clusters) -> the least true difference that is found with this power.
    """

    a: str
    b: str
    group: str
    languages: int
    seeds: tuple[int, int]
    clusters: int
    difference: float
    level: float
    power: float
    effect: float
    detectable: Mapping[tuple[int, int], DetectableDifference]

    def needed_seeds(self, clusters: int, *, safely: bool = False) -> int | None:
        """The fewest of the seeds looked at that find the effect on so many clusters; None: not even the most.

        Args:
            clusters: of test items.
            safely: whatever the variances are within their 90% range, and not just as they were seen.
        """
        for (seeds, items), difference in sorted(self.detectable.items()):
            if items == clusters and (difference.high if safely else difference.estimate) <= self.effect:
                return seeds
        return None


def plan_power(
    store: Store,
    chosen: Filter,
    a: str,
    b: str,
    effect: float,
    *,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 1,
) -> PowerPlan:
    """How many seeds and items a true difference needs, with the variances of two rows of a store.

    Args:
        a, b: as `compare` takes them.
        effect: the true difference, in (0, 1).
        comparisons: tests that p is corrected for; 1: none but this one.

    Raises:
        ConfigError: one row twice, rows of different data, a row without answers to single items or with one seed, no
            language in common, a value out of its range.
    """
    _check(effect, level, power, comparisons)
    entries = entries_in(store, chosen)
    row_a, row_b = find_entry(a, entries, "A"), find_entry(b, entries, "B")
    check_pair(row_a, row_b)
    _check_rows(row_a, row_b)
    pair = Pair(row_a, row_b, ComparisonOptions(level=level))
    groups = groups_of_pair(row_a, row_b, entries, chosen.targets)
    primary = primary_group(row_a.first.cell.task)
    name = primary if primary in groups else next(iter(groups))
    shared = pair.shared(name, groups[name])
    if shared is None:
        raise ConfigError(f"'{row_a.label}' and '{row_b.label}' have no language of {name} in common; give --targets")
    x_a, x_b = pair.scores(shared.languages)
    clusters = x_a.shape[1]
    if clusters < 2:
        raise ConfigError("one cluster of test items cannot show how items vary")
    return PowerPlan(
        row_a.label,
        row_b.label,
        name,
        len(shared.languages),
        (len(x_a), len(x_b)),
        clusters,
        shared.difference,
        level,
        power,
        effect,
        {
            (count, factor * clusters): detectable_difference(
                x_a, x_b, seeds=count, clusters=factor * clusters, level=level, power=power, comparisons=comparisons
            )
            for count in SEEDS
            for factor in ITEMS
        },
    )


def _check(effect: float, level: float, power: float, comparisons: int) -> None:
    if not 0.0 < effect < 1.0:
        raise ConfigError(f"--effect is a difference in percentage points between 0 and 100, not {100 * effect:g}")
    if not 1 - level < power < 1:
        raise ConfigError(f"--power must lie between {1 - level:.2g} and 1, such as 0.8, not {power:g}")
    if comparisons < 1:
        raise ConfigError(f"--comparisons must be at least 1, not {comparisons}")


def _check_rows(*rows: Entry) -> None:
    """Refuse rows that cannot show how their scores vary."""
    for entry in rows:
        if entry.answers is None:
            raise ConfigError(f"'{entry.label}' has no answers to single items, so nobody knows how they vary")
        if len(entry.seeds) < 2:
            raise ConfigError(f"'{entry.label}' has one run, which cannot show how seeds vary; take a row with more")
