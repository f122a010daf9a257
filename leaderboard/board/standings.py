"""Where each ranked row of a target group stands: ranks and letters from corrected tests of all pairs.

The row that happens to be best is not treated as if it had been singled out beforehand: a family of "all against the
best" would call too many differences real. A reference that the user names is such a choice (`against`).
"""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.leaderboard.board.pairs import PairTests, RankedRows
from xlt_bench.metrics.base import Values
from xlt_bench.stats import rank_methods


@dataclass(frozen=True)
class RowStanding:
    """Where a row stands among the ranked ones; see `RowScore`."""

    value: float
    rank: int | None = None
    worst: int | None = None
    letters: str = ""


def standings(
    rows: RankedRows, tests: PairTests | None, adjusted: Values | None, level: float
) -> dict[str, RowStanding]:
    """By key of the entry, where each row stands; without tests, its mean alone."""
    means = dict(zip(rows.keys, rows.means.tolist(), strict=True))
    if tests is None or adjusted is None:
        return {key: RowStanding(mean) for key, mean in means.items()}
    ranking = rank_methods(tests.differences, adjusted, level)
    return {
        key: RowStanding(mean, int(ranking.rank[row]), int(ranking.worst[row]), ranking.letters[row])
        for row, (key, mean) in enumerate(means.items())
    }
