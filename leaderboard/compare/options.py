"""How two rows are compared."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.leaderboard.board.model import FamilyRule
from xlt_bench.metrics import Metric
from xlt_bench.stats import IntervalMethod


@dataclass(frozen=True)
class ComparisonOptions:
    """How two rows are compared.

    Attributes:
        method: what intervals and tests take as random.
        level: of the intervals; alpha of the tests is 1 - level.
        paired_seeds: seed k of A and seed k of B belong together; the seeds that both have are compared.
        metric: what is compared; None: the one that the task is judged by.
        family: whether p is corrected for each group alone, or for all groups compared.
        primary: the group whose test is confirmatory, in place of the task's.
        random_languages: take languages as drawn at random, by family.
    """

    method: IntervalMethod = "two-way"
    level: float = 0.95
    paired_seeds: bool = False
    metric: Metric | None = None
    family: FamilyRule = "table"
    primary: str | None = None
    random_languages: bool = False

    @property
    def alpha(self) -> float:
        """Of the tests."""
        return round(1 - self.level, 12)
