"""What a board holds, as plain data: everything that the renderings (terminal, Markdown, LaTeX, JSON, page) show.

A board is of one task and one metric. Its sections are what may be compared: rows of one setting (our zero-shot runs on
one backbone, prompted LLMs, linear probes, ...). Within a section and a target group, ranks and tie letters are of the
languages that all ranked rows have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xlt_bench.leaderboard.board.detail import SectionDetail
from xlt_bench.leaderboard.data.entries import NO_SOURCES
from xlt_bench.leaderboard.data.facts import LanguageFacts
from xlt_bench.records.record import Evidence
from xlt_bench.stats import IntervalMethod, Verdict

Inference = Literal["runs", "one run", "these answers", "none"]
"""What intervals and tests of a number speak of.

runs: other seeds and other items. one run: other items only, of a method of which another run would differ: no verdict.
these answers: other items only; the answers are fixed. none: a published figure.
"""

FamilyRule = Literal["group", "table"]
"""Tests that are corrected together: those of each group, or those of all groups of a table."""


@dataclass(frozen=True)
class Bounds:
    """An interval, in [0, 1] but not clipped to it."""

    low: float
    high: float


@dataclass(frozen=True)
class Against:
    """A row less the reference, on the languages that all ranked rows have.

    Attributes:
        reference: label and sources of the row that it is compared with.
        p: corrected for all shown rows against the reference; None where no test can be made.
        verdict: of the row against the reference; None without a test.
    """

    reference: str
    difference: float
    bounds: Bounds
    p: float | None
    verdict: Verdict | None


@dataclass(frozen=True)
class RowScore:
    """One row on one target group.

    Attributes:
        value: the metric's plain mean over the row's own languages of the group, in [0, 1].
        two_way, bootstrap: intervals; None where the evidence allows none.
        inference: see there.
        seeds, languages, items, clusters: what is behind the number; `missing` are the group's languages the row lacks.
        by_seed: the value of each seed, in order of the row's seeds.
        outliers: seeds whose value lies far from the others'.
        ranked_value: the mean on the languages that all ranked rows have, the one the rank is of.
        rank: 1 + the number of rows significantly better after correction; None where the row cannot be tested.
        letters: rows that share a letter are not told apart; empty where the row cannot be tested. Those of `one run`
            are shown hollow: no verdict.
        at_chance: not shown to be above always answering the most frequent class, on the same items.
        note: what a reader must know to trust the number; None when nothing is unusual.
        seeds_only: interval over seeds alone, for these very items; only where it was asked for.
        worst_rank: the number of ranked rows less those significantly worse: the true rank lies from `rank` to here.
        against: the difference from the reference, where there is one.
    """

    value: float
    two_way: Bounds | None
    bootstrap: Bounds | None
    inference: Inference
    seeds: int
    languages: int
    items: int
    clusters: int
    missing: tuple[str, ...]
    by_seed: tuple[float, ...]
    outliers: tuple[int, ...]
    ranked_value: float | None
    rank: int | None
    letters: str
    at_chance: bool
    note: str | None = None
    seeds_only: Bounds | None = None
    worst_rank: int | None = None
    against: Against | None = None

    def bounds(self, method: IntervalMethod) -> Bounds | None:
        """The interval of this kind."""
        return {"two-way": self.two_way, "bootstrap": self.bootstrap, "seeds": self.seeds_only}[method]

    @property
    def hollow(self) -> bool:
        """Whether its letters stand for one run, and not for the method."""
        return self.inference == "one run"


@dataclass(frozen=True)
class BoardRow:
    """One configuration.

    Attributes:
        key: configuration fingerprint, unique on the board.
        label, sources: as shown; may hold any text, so every rendering escapes them.
        evidence: decides which interval and test is allowed.
        selected_on: what data chose the checkpoint.
        failed_seeds: seeds whose run failed.
        origin: where the numbers come from (`xlt-bench run`, or a citation).
        caveats: sentences a reader should see beside the row.
        scores: by target group name.
        by_language: the metric in [0, 1] by language code, mean over seeds; empty for aggregate evidence.
        source, licence: of a published result; empty for our own runs.
        tuned: trials of the search on source dev that chose the setting; None: nobody searched.
        resources: what the method was handed beside labelled sources.
    """

    key: str
    label: str
    sources: str
    evidence: Evidence
    selected_on: str
    seeds: tuple[int, ...]
    failed_seeds: tuple[int, ...]
    trainable_parameters: int | None
    origin: str
    caveats: tuple[str, ...]
    scores: Mapping[str, RowScore]
    by_language: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    licence: str = ""
    tuned: int | None = None
    resources: tuple[str, ...] = ()

    @property
    def learned_from(self) -> str:
        """The sources as shown; `no sources` of our own runs that have none, empty for published systems."""
        if self.sources != NO_SOURCES:
            return self.sources
        return "" if self.source else "no sources"


@dataclass(frozen=True)
class BoardSection:
    """Rows that may be compared: one setting, and for our own runs one backbone, protocol and set of resources.

    Attributes:
        title: as shown, such as "Cross-lingual zero-shot, backbone nano".
        groups: target group name -> language codes, in the order of the columns.
        ranked_on: target group name -> the languages that all ranked rows have.
        sorted_by: the group by which the rows are ordered: of those that most rows have the primary or the first one.
        primary: the group whose tests are confirmatory; empty where none of the groups is.
        tests: target group name -> how many tests its p-values are corrected for.
        superseded: rows that are not shown because a later version stands for them; their tests count too.
        detail: what only the page shows; None where it was not asked for.
    """

    title: str
    setting: str
    backbone: str
    protocol: str
    groups: Mapping[str, tuple[str, ...]]
    ranked_on: Mapping[str, tuple[str, ...]]
    rows: tuple[BoardRow, ...]
    sorted_by: str = ""
    primary: str = ""
    tests: Mapping[str, int] = field(default_factory=dict)
    superseded: int = 0
    detail: SectionDetail | None = None


@dataclass(frozen=True)
class BoardContent:
    """All sections of a task.

    Attributes:
        level: nominal coverage of the intervals; alpha of the tests is 1 - level.
        chance: the majority class's score, by language code.
        metric: its name; `metric_title` as sentences have it.
        caveats: sentences about the board as a whole.
        skipped: Records that could not be read, one line each.
        interval: the kind of interval that is shown, and that ranks, letters and comparisons are made with.
        reference: as the user named it.
        family: which tests are corrected together.
        random_languages: whether languages are taken as drawn at random, by family, instead of fixed.
    """

    task: str
    task_hash: str
    level: float
    sections: tuple[BoardSection, ...]
    languages: Mapping[str, LanguageFacts]
    chance: Mapping[str, float]
    metric: str = "accuracy"
    metric_title: str = "accuracy"
    caveats: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    interval: IntervalMethod = "two-way"
    reference: str | None = None
    family: FamilyRule = "group"
    random_languages: bool = False
