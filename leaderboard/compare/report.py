"""What a comparison of two rows holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.records.record import Evidence
from xlt_bench.stats import IntervalMethod, Verdict

POWER = 0.8
"""Of the test, for the difference that could have been seen."""


@dataclass(frozen=True)
class Side:
    """One of the two rows."""

    key: str
    label: str
    sources: str
    evidence: Evidence
    setting: str
    seeds: tuple[int, ...]
    failed_seeds: tuple[int, ...]


@dataclass(frozen=True)
class GroupDifference:
    """A less B on the languages of a group that both have.

    Attributes:
        languages: these; `only_a` and `only_b` are the group's languages that one of them has alone.
        bounds: of the difference; None where the evidence allows no interval.
        p: of no difference, for this group alone; `adjusted_p` after Holm over all groups compared. None: no test.
        detectable: the least true difference that these runs would have found with 80% power, adjusted alike.
    """

    group: str
    languages: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    accuracy_a: float
    accuracy_b: float
    difference: float
    bounds: Bounds | None = None
    p: float | None = None
    adjusted_p: float | None = None
    verdict: Verdict | None = None
    detectable: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class LanguageDifference:
    """A less B in one language; `q` after Benjamini-Hochberg over all languages, None without a test."""

    code: str
    accuracy_a: float
    accuracy_b: float
    difference: float
    q: float | None = None


@dataclass(frozen=True)
class Report:
    """All that `xlt-bench compare` says.

    Attributes:
        languages: largest gain of A first.
        only_a, only_b: languages that one of them has alone; `left_out` those that either was fitted on.
        caveats: what makes the two less comparable.
    """

    task: str
    task_hash: str
    a: Side
    b: Side
    method: IntervalMethod
    level: float
    paired_seeds: bool
    groups: tuple[GroupDifference, ...]
    languages: tuple[LanguageDifference, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    left_out: tuple[str, ...]
    caveats: tuple[str, ...]

    def wins(self, q: float = 1.0) -> tuple[int, int]:
        """In how many languages A is ahead, and B; with `q` below 1, those found at that rate of false findings."""
        found = [one for one in self.languages if q >= 1.0 or (one.q is not None and one.q <= q)]
        return sum(one.difference > 0 for one in found), sum(one.difference < 0 for one in found)
