"""What is compared of two rows: the groups and languages that both have, with interval, tests and power."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.ranks import least_p
from xlt_bench.leaderboard.board.scoring import Reductions, Scores, measure, reduced
from xlt_bench.leaderboard.compare.report import POWER, GroupDifference, LanguageDifference
from xlt_bench.leaderboard.data.entries import Answers, Entry
from xlt_bench.stats import (
    Comparison,
    IntervalMethod,
    benjamini_hochberg,
    compare,
    detectable_difference,
    permutation_test,
)


@dataclass(frozen=True)
class Pair:
    """Two rows and how they are compared."""

    a: Entry
    b: Entry
    method: IntervalMethod
    level: float
    paired_seeds: bool

    @property
    def fitted(self) -> frozenset[str]:
        """Languages on which either was fitted: no transfer there."""
        return frozenset(self.a.first.cell.sources) | frozenset(self.b.first.cell.sources)

    @property
    def answers(self) -> tuple[Answers, Answers] | None:
        """Of both, where both have answers to single items."""
        return (self.a.answers, self.b.answers) if self.a.answers and self.b.answers else None

    def shared(self, group: str, codes: Sequence[str]) -> GroupDifference | None:
        """The untested difference on the languages of a group that both have; None where there is none."""
        own_a, own_b = self.a.by_language(), self.b.by_language()
        if "aggregate" in (self.a.evidence, self.b.evidence):
            return self._printed(group, tuple(codes))
        inside = all(set(codes) == set(entry.first.cell.sources) for entry in (self.a, self.b))
        usable = [code for code in codes if inside or code not in self.fitted]
        common = tuple(code for code in usable if code in own_a and code in own_b)
        if not common:
            return None
        mean_a, mean_b = (float(np.mean([own[code] for code in common])) for own in (own_a, own_b))
        only_a = tuple(code for code in usable if code in own_a and code not in own_b)
        only_b = tuple(code for code in usable if code in own_b and code not in own_a)
        return GroupDifference(group, common, only_a, only_b, mean_a, mean_b, mean_a - mean_b)

    def tested(self, found: GroupDifference, family: int) -> GroupDifference:
        """With interval and test, where both have answers to single items."""
        if self.answers is None:
            return replace(found, note="point values: no interval, no test")
        x_a, x_b = (reduced(answers, found.languages).x for answers in self.answers)
        if not _testable(x_a, x_b, self.method):
            return replace(found, note=f"one {'run' if self.method == 'seeds' else 'item'}: no test")
        content = b"".join([*(answers.content for answers in self.answers), *map(str.encode, found.languages)])
        key = hashlib.sha256(content).digest()
        stored = (len(x_a) == 1, len(x_b) == 1)
        one = compare(x_a, x_b, self.method, self.level, paired_seeds=self.paired_seeds, deterministic=stored, key=key)
        note = one.note and one.note.replace(" of a", " of A").replace(" of b", " of B")
        p, note = (one.p, note) if self.method != "seeds" else self._across_seeds(x_a, x_b, one, family)
        return replace(
            found, bounds=Bounds(one.low, one.high), p=p, note=note, detectable=self._detectable(x_a, x_b, family)
        )

    def by_language(self, codes: Sequence[str]) -> tuple[LanguageDifference, ...]:
        """Each language on its own, the largest gain of A first."""
        own_a, own_b = self.a.by_language(), self.b.by_language()
        q = benjamini_hochberg([self._p_in(code) for code in codes])
        found = [
            LanguageDifference(code, own_a[code], own_b[code], own_a[code] - own_b[code], number_or_none(value))
            for code, value in zip(codes, q, strict=True)
        ]
        return tuple(sorted(found, key=lambda one: (-one.difference, one.code)))

    def _p_in(self, code: str) -> float:
        if self.answers is None:
            return float("nan")
        x_a, x_b = (reduced(answers, [code]).x for answers in self.answers)
        method: IntervalMethod = "seeds" if self.method == "seeds" else "two-way"  # the bootstrap, 200 times, is slow
        if not _testable(x_a, x_b, method) or (method == "seeds" and self._least_p(x_a, x_b) > 1 - self.level):
            return float("nan")
        stored = (len(x_a) == 1, len(x_b) == 1)
        p = compare(x_a, x_b, method, self.level, paired_seeds=self.paired_seeds, deterministic=stored).p
        return float("nan") if p is None else p

    def _least_p(self, x_a: Scores, x_b: Scores) -> float:
        """What the exact test across these seeds could reach; where that is too little, no other test is believed."""
        return 2 / 2 ** len(x_a) if self.paired_seeds else least_p(len(x_a), len(x_b))

    def _across_seeds(self, x_a: Scores, x_b: Scores, one: Comparison, family: int) -> tuple[float | None, str | None]:
        """The exact test's p, and what it could have reached at best; None where that is too little for a verdict."""
        means = (x_a.mean(axis=1), x_b.mean(axis=1))
        try:
            exact = permutation_test(*means, paired=self.paired_seeds, level=self.level, family=family)
        except ValueError:  # too many relabellings to try them all
            return one.p, "Welch's t test: too many seeds for the exact one"
        told = f"exact test across seeds: the least p it can reach is {exact.least_p:.2g}"
        if exact.decidable:
            return exact.p, told
        return None, f"{told}, too large for a verdict among {family} groups"

    def _detectable(self, x_a: Scores, x_b: Scores, family: int) -> float | None:
        if self.method == "seeds":
            return None
        return detectable_difference(
            x_a, x_b, level=self.level, power=POWER, comparisons=family, paired_seeds=self.paired_seeds
        ).high

    def _printed(self, group: str, codes: tuple[str, ...]) -> GroupDifference | None:
        """Of means that are known by group only."""
        one, other = (measure(entry, group, codes, Reductions()) for entry in (self.a, self.b))
        if one is None or other is None:
            return None
        mean_a, mean_b = one.accuracy, other.accuracy
        return GroupDifference(group, codes, (), (), mean_a, mean_b, mean_a - mean_b)


def _testable(x_a: Scores, x_b: Scores, method: IntervalMethod) -> bool:
    """Whether there are two of what is random."""
    return (min(len(x_a), len(x_b)) if method == "seeds" else x_a.shape[1]) > 1


def number_or_none(value: float) -> float | None:
    """NaN, which stands for no test, as None."""
    return None if np.isnan(value) else float(value)
