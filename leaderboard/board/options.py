"""How a board is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xlt_bench.leaderboard.board.model import FamilyRule
from xlt_bench.metrics import Metric
from xlt_bench.stats import IntervalMethod


@dataclass(frozen=True)
class Options:
    """How a board is made.

    Attributes:
        interval: what the shown intervals and the tests take as random.
        level: of the intervals; alpha of the tests is 1 - level.
        bootstrap: compute the bootstrap's intervals too; the board takes about a second longer.
        reference: a row with which every other is compared: its label, `label:sources`, or the first digits of its key.
        targets: groups to show in place of those that the Records speak of, name -> codes.
        metric: what is shown and tested; None: the one that the task is judged by.
        family: which tests are corrected together.
        primary: the group whose tests are confirmatory, in place of the task's.
        random_languages: take languages as drawn at random, by family; intervals and tests are of the bootstrap then.
        superseded: show the rows of earlier versions of a plug-in's file too.
        detailed: keep what only the page shows, see `SectionDetail`; the board takes some seconds longer.
    """

    interval: IntervalMethod = "two-way"
    level: float = 0.95
    bootstrap: bool = False
    reference: str | None = None
    targets: Mapping[str, tuple[str, ...]] | None = None
    metric: Metric | None = None
    family: FamilyRule = "group"
    primary: str | None = None
    random_languages: bool = False
    superseded: bool = False
    detailed: bool = False

    @property
    def alpha(self) -> float:
        """Of the tests, without the rounding that would keep an exact p of 0.1 from level 0.9."""
        return round(1 - self.level, 12)

    @property
    def shows_bootstrap(self) -> bool:
        """Whether the board holds intervals of the bootstrap."""
        return self.bootstrap or self.interval == "bootstrap"
