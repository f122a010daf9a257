"""What is compared of two rows: the groups and languages that both have, with interval, tests and power."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from xlt_bench.leaderboard.board.measuring import measure
from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.pairs import least_p
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.compare.model import POWER, GroupDifference, LanguageDifference
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.leaderboard.compare.over_languages import difference_over_languages
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import language_facts, main_metric
from xlt_bench.metrics import Metric
from xlt_bench.metrics.base import Values
from xlt_bench.stats import (
    DetectableDifference,
    IntervalMethod,
    PairComparison,
    benjamini_hochberg,
    compare,
    detectable_difference,
    permutation_test,
)


@dataclass
class Pair:
    """Two rows and how they are compared."""

    a: Entry
    b: Entry
    options: ComparisonOptions
    reductions: Reductions = field(init=False)

    def __post_init__(self) -> None:
        self.reductions = Reductions(self.metric)

    @property
    def metric(self) -> Metric:
        """What is compared."""
        return self.options.metric or main_metric(self.a.first.cell.task)

    @property
    def fitted(self) -> frozenset[str]:
        """Languages on which either was fitted: no transfer there."""
        return frozenset(self.a.first.cell.sources) | frozenset(self.b.first.cell.sources)

    @property
    def has_answers(self) -> bool:
        """Whether both have answers to single items."""
        return self.a.answers is not None and self.b.answers is not None

    @property
    def stored(self) -> tuple[bool, bool]:
        """Whether the answers of each do not depend on a seed."""
        return self.a.is_stored, self.b.is_stored

    def shared(self, group: str, codes: Sequence[str]) -> GroupDifference | None:
        """The untested difference on the languages of a group that both have; None where there is none."""
        if "aggregate" in (self.a.evidence, self.b.evidence):
            return self._printed(group, tuple(codes))
        inside = all(set(codes) == set(entry.first.cell.sources) for entry in (self.a, self.b))
        usable = [code for code in codes if inside or code not in self.fitted]
        of_a, of_b = set(self.a.languages(self.metric)), set(self.b.languages(self.metric))
        common = tuple(code for code in usable if code in of_a and code in of_b)
        if not common:
            return None
        scores = [entry.by_language(self.metric) for entry in (self.a, self.b)]
        mean_a, mean_b = (float(np.mean([by_language[code] for code in common])) for by_language in scores)
        only_a = tuple(code for code in usable if code in of_a and code not in of_b)
        only_b = tuple(code for code in usable if code in of_b and code not in of_a)
        return GroupDifference(group, common, only_a, only_b, mean_a, mean_b, mean_a - mean_b)

    def tested(self, group: GroupDifference, family: int) -> GroupDifference:
        """With interval and test, where both have answers to single items.

        Args:
            family: how many groups are corrected together.
        """
        if not self.has_answers:
            return replace(group, note="point values: no interval, no test")
        x_a, x_b = self.scores(group.languages)
        group = replace(group, clusters=x_a.shape[1])
        method = self.options.method
        if self.options.random_languages:
            return self._over_languages(group)
        if not _testable(x_a, x_b, method):
            return replace(group, note=f"one {'run' if method == 'seeds' else 'cluster of items'}: no test")
        comparison = self._compared(x_a, x_b, method, self._key(group.languages))
        p, note = comparison.p, comparison.note and comparison.note.replace(" of a", " of A").replace(" of b", " of B")
        if method == "seeds":
            p, note = self._across_seeds(x_a, x_b, comparison, family)
        bounds = Bounds(comparison.low, comparison.high)
        return replace(group, bounds=bounds, p=p, note=note, detectable=self._detectable(x_a, x_b, p, family))

    def by_language(self, codes: Sequence[str]) -> tuple[LanguageDifference, ...]:
        """Each language on its own that both have figures of, the largest gain of A first."""
        of_a, of_b = (entry.by_language(self.metric) for entry in (self.a, self.b))
        codes = [code for code in codes if code in of_a and code in of_b]  # of a published group there may be none
        q = benjamini_hochberg([self._p_in(code) for code in codes])
        differences = [
            LanguageDifference(code, of_a[code], of_b[code], of_a[code] - of_b[code], number_or_none(value))
            for code, value in zip(codes, q, strict=True)
        ]
        return tuple(sorted(differences, key=lambda language: (-language.difference, language.code)))

    def _over_languages(self, group: GroupDifference) -> GroupDifference:
        codes = group.languages
        facts = language_facts(self.a.first.cell.task, None, codes)
        difference = difference_over_languages(
            self.a,
            self.b,
            codes,
            {code: facts[code].family for code in codes if code in facts},
            self.reductions,
            level=self.options.level,
            paired_seeds=self.options.paired_seeds,
            key=self._key(codes),
        )
        if difference is None:
            return replace(group, note="one family of languages, or one cluster of items: no test")
        one_run = any(len(entry.seeds) == 1 and not entry.is_stored for entry in (self.a, self.b))
        note = "one run of a method of which another would differ: no test" if one_run else None
        return replace(group, bounds=difference.bounds, p=None if one_run else difference.p, note=note)

    def scores(self, languages: tuple[str, ...]) -> tuple[Values, Values]:
        return self.reductions.of(self.a, languages).x, self.reductions.of(self.b, languages).x

    def _key(self, languages: Sequence[str]) -> bytes:
        """What the bootstrap's draws follow from: answers and languages."""
        answers = [entry.answers.content for entry in (self.a, self.b) if entry.answers is not None]
        return hashlib.sha256(b"".join([*answers, *map(str.encode, languages)])).digest()

    def _compared(self, x_a: Values, x_b: Values, method: IntervalMethod, key: bytes = b"") -> PairComparison:
        options = self.options
        return compare(
            x_a, x_b, method, options.level, paired_seeds=options.paired_seeds, deterministic=self.stored, key=key
        )

    def _p_in(self, code: str) -> float:
        if not self.has_answers:
            return float("nan")
        x_a, x_b = self.scores((code,))
        # the bootstrap, 200 times, is slow
        method: IntervalMethod = "seeds" if self.options.method == "seeds" else "two-way"
        if not _testable(x_a, x_b, method) or (method == "seeds" and self._least_p(x_a, x_b) > self.options.alpha):
            return float("nan")
        p = self._compared(x_a, x_b, method).p
        return float("nan") if p is None else p

    def _least_p(self, x_a: Values, x_b: Values) -> float:
        """What the exact test across these seeds could reach; where that is too little, no other test is believed."""
        return 2 / 2 ** len(x_a) if self.options.paired_seeds else least_p(len(x_a), len(x_b))

    def _across_seeds(
        self, x_a: Values, x_b: Values, comparison: PairComparison, family: int
    ) -> tuple[float | None, str | None]:
        """The exact test's p, and what it could have reached at best; None where that is too little for a verdict."""
        means, options = (x_a.mean(axis=1), x_b.mean(axis=1)), self.options
        try:
            exact = permutation_test(*means, paired=options.paired_seeds, level=options.level, family=family)
        except ValueError:  # too many relabellings to try them all
            return comparison.p, "Welch's t test: too many seeds for the exact one"
        note = f"exact test across seeds: the least p it can reach is {exact.least_p:.2g}"
        if exact.decidable:
            return exact.p, note
        return None, f"{note}, too large for a verdict among {family} groups"

    def _detectable(self, x_a: Values, x_b: Values, p: float | None, family: int) -> DetectableDifference | None:
        options = self.options
        if options.method == "seeds" or p is None:
            return None
        return detectable_difference(
            x_a, x_b, level=options.level, power=POWER, comparisons=family, paired_seeds=options.paired_seeds
        )

    def _printed(self, group: str, codes: tuple[str, ...]) -> GroupDifference | None:
        """Of means that are known by group only."""
        row_a, row_b = (measure(entry, group, codes, self.reductions) for entry in (self.a, self.b))
        if row_a is None or row_b is None:
            return None
        return GroupDifference(group, codes, (), (), row_a.value, row_b.value, row_a.value - row_b.value)


def _testable(x_a: Values, x_b: Values, method: IntervalMethod) -> bool:
    """Whether there are two of what is random."""
    return (min(len(x_a), len(x_b)) if method == "seeds" else x_a.shape[1]) > 1


def number_or_none(value: float) -> float | None:
    """NaN, which stands for no test, as None."""
    return None if np.isnan(value) else float(value)
