"""What a comparison of two rows holds, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xlt_bench.leaderboard.board.model import Bounds, FamilyRule
from xlt_bench.records.record import Evidence
from xlt_bench.stats import DetectableDifference, IntervalMethod, Verdict

POWER = 0.8
"""Of the test, for the difference that could have been seen."""


@dataclass(frozen=True)
class ComparedRow:
    """One of the two rows; `stored`: its answers do not depend on a seed."""

    key: str
    label: str
    sources: str
    evidence: Evidence
    setting: str
    stored: bool
    seeds: tuple[int, ...]
    failed_seeds: tuple[int, ...]


@dataclass(frozen=True)
class GroupDifference:
    """A less B on the languages of a group that both have.

    Attributes:
        languages: these; `only_a` and `only_b` are the group's languages that one of them has alone.
        clusters: of test items, the same in both; 0 where the evidence is weaker.
        bounds: of the difference; None where the evidence allows no interval.
        p: of no difference, for this group alone; `adjusted_p` after correction. None: no test.
        detectable: the least true difference that these runs would have found with 80% power, adjusted alike.
    """

    group: str
    languages: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    value_a: float
    value_b: float
    difference: float
    clusters: int = 0
    bounds: Bounds | None = None
    p: float | None = None
    adjusted_p: float | None = None
    verdict: Verdict | None = None
    detectable: DetectableDifference | None = None
    note: str | None = None


@dataclass(frozen=True)
class LanguageDifference:
    """A less B in one language; `q` after Benjamini-Hochberg over all languages, None without a test."""

    code: str
    value_a: float
    value_b: float
    difference: float
    q: float | None = None


@dataclass(frozen=True)
class ComparisonReport:
    """All that `xlt-bench compare` says.

    Attributes:
        metric: its name; `metric_title` as sentences have it.
        family: whether p is corrected for each group alone, or for all groups of this table.
        tests: group -> how many tests its p is corrected for.
        primary: the group whose test is confirmatory; empty where none of the groups is.
        languages: largest gain of A first.
        only_a, only_b: languages that one of them has alone; `left_out` those that either was fitted on.
        caveats: what makes the two less comparable.
    """

    task: str
    task_hash: str
    a: ComparedRow
    b: ComparedRow
    method: IntervalMethod
    level: float
    paired_seeds: bool
    groups: tuple[GroupDifference, ...]
    languages: tuple[LanguageDifference, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    left_out: tuple[str, ...]
    caveats: tuple[str, ...]
    metric: str = "accuracy"
    metric_title: str = "accuracy"
    family: FamilyRule = "table"
    tests: Mapping[str, int] = field(default_factory=dict)
    primary: str = ""
    random_languages: bool = False

    @property
    def alpha(self) -> float:
        """Of the tests."""
        return round(1 - self.level, 12)

    def wins(self, q: float = 1.0) -> tuple[int, int]:
        """In how many languages A is ahead, and B; with `q` below 1, those found at that rate of false findings."""
        counted = [language for language in self.languages if q >= 1.0 or (language.q is not None and language.q <= q)]
        ahead = sum(language.difference > 0 for language in counted)
        return ahead, sum(language.difference < 0 for language in counted)
