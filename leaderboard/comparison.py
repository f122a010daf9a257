"""Two rows, side by side: difference by group with interval and test, wins by language, and what could be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..backbone import NO_BACKBONE
from ..errors import ConfigError
from ..stats import (
    Comparison,
    IntervalMethod,
    benjamini_hochberg,
    compare,
    detectable_difference,
    holm,
    permutation_test,
    verdict_of,
)
from ..store import Store
from .boards import Filter, entries_in, groups_named
from .comparison_report import POWER, GroupDifference, LanguageDifference, Report, Side
from .entries import Answers, Entry
from .facts import in_order
from .model import Bounds
from .references import find_entry
from .scoring import Reductions, Scores, measure, reduced
from .sections import setting_of

ALL = "all languages of both"


def compare_entries(
    a: Entry,
    b: Entry,
    groups: Mapping[str, tuple[str, ...]],
    *,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    paired_seeds: bool = False,
) -> Report:
    """Compare two rows of one task.

    Args:
        groups: name -> codes; all languages that both have come first, unless one of the groups is just these.
        paired_seeds: seed k of A and seed k of B belong together; the seeds that both have are compared.

    Raises:
        ConfigError: the same row twice, rows of different data, no language or no seed in common.
    """
    _check(a, b)
    if paired_seeds:
        a, b = _on_common_seeds(a, b)
    pair = _Pair(a, b, method, level, paired_seeds)
    everything = pair.shared(ALL, tuple(dict.fromkeys([*a.by_language(), *b.by_language()])))
    named = [found for name, codes in groups.items() if (found := pair.shared(name, codes)) is not None]
    same = everything is None or any(set(everything.languages) == set(found.languages) for found in named)
    shared = named if same or everything is None else [everything, *named]
    if not shared:
        raise ConfigError(f"'{a.label}' and '{b.label}' have no language in common; see: xlt-bench leaderboard")
    return Report(
        task=a.first.cell.task,
        task_hash=a.first.cell.task_hash,
        a=_side(a),
        b=_side(b),
        method=method,
        level=level,
        paired_seeds=paired_seeds,
        groups=tuple(_adjusted([pair.tested(found, len(shared)) for found in shared], level)),
        languages=pair.by_language(everything.languages if everything else ()),
        only_a=everything.only_a if everything else (),
        only_b=everything.only_b if everything else (),
        left_out=tuple(code for code in a.by_language() if code in b.by_language() and code in pair.fitted),
        caveats=tuple(_caveats(a, b)),
    )


def compare_in(
    store: Store,
    chosen: Filter,
    a: str,
    b: str,
    targets: str | None = None,
    *,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    paired_seeds: bool = False,
) -> Report:
    """Compare two rows of a store, named as `find_entry` takes them.

    Args:
        targets: groups to compare on, see `Filter`; default: those that either row speaks of.

    Raises:
        ConfigError: as `find_entry` and `compare_entries`.
    """
    entries = entries_in(store, chosen)
    one, other = find_entry(a, entries, "A"), find_entry(b, entries, "B")
    groups = {**one.groups(), **other.groups()}
    if targets is not None:
        groups = dict(groups_named([*one.records, *other.records], targets))
    return compare_entries(one, other, in_order(groups), method=method, level=level, paired_seeds=paired_seeds)


@dataclass(frozen=True)
class _Pair:
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
        one = compare(x_a, x_b, self.method, self.level, paired_seeds=self.paired_seeds, key=key)
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
            LanguageDifference(code, own_a[code], own_b[code], own_a[code] - own_b[code], _number(value))
            for code, value in zip(codes, q, strict=True)
        ]
        return tuple(sorted(found, key=lambda one: (-one.difference, one.code)))

    def _p_in(self, code: str) -> float:
        if self.answers is None:
            return float("nan")
        x_a, x_b = (reduced(answers, [code]).x for answers in self.answers)
        method: IntervalMethod = "seeds" if self.method == "seeds" else "two-way"  # the bootstrap, 200 times, is slow
        if not _testable(x_a, x_b, method):
            return float("nan")
        p = compare(x_a, x_b, method, self.level, paired_seeds=self.paired_seeds).p
        return float("nan") if p is None else p

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
        )

    def _printed(self, group: str, codes: tuple[str, ...]) -> GroupDifference | None:
        """Of means that are known by group only."""
        one, other = (measure(entry, group, codes, Reductions()) for entry in (self.a, self.b))
        if one is None or other is None:
            return None
        mean_a, mean_b = one.accuracy, other.accuracy
        return GroupDifference(group, codes, (), (), mean_a, mean_b, mean_a - mean_b)


def _adjusted(found: Sequence[GroupDifference], level: float) -> Iterator[GroupDifference]:
    corrected = holm([float("nan") if one.p is None else one.p for one in found])
    for one, value in zip(found, corrected, strict=True):
        p = _number(value)
        yield replace(one, adjusted_p=p, verdict=verdict_of(one.difference, p, round(1 - level, 12)))


def _check(a: Entry, b: Entry) -> None:
    one, other = a.first.cell, b.first.cell
    if a.key == b.key:
        raise ConfigError(f"'{a.label}' is compared with itself; name two rows of: xlt-bench leaderboard")
    if (one.task, one.task_hash) != (other.task, other.task_hash):
        raise ConfigError(
            f"'{a.label}' is of {one.task} (data {one.task_hash[:8]}) and '{b.label}' of {other.task} "
            f"(data {other.task_hash[:8]}); only rows of the same data can be compared"
        )


def _on_common_seeds(a: Entry, b: Entry) -> tuple[Entry, Entry]:
    if a.answers is None or b.answers is None:
        raise ConfigError("--paired-seeds needs answers to single items of both rows")
    common = tuple(seed for seed in a.answers.seeds if seed in b.answers.seeds)
    if not common:
        raise ConfigError(f"--paired-seeds: '{a.label}' and '{b.label}' have no seed in common")
    return replace(a, answers=a.answers.with_seeds(common)), replace(b, answers=b.answers.with_seeds(common))


def _side(entry: Entry) -> Side:
    return Side(entry.key, entry.label, entry.sources, entry.evidence, entry.first.setting, entry.seeds, entry.failed)


def _caveats(a: Entry, b: Entry) -> Iterator[str]:
    one, other = a.first, b.first
    if one.setting != other.setting or one.cell.protocol != other.cell.protocol:
        names = (setting_of(entry).name for entry in (a, b))
        yield "The settings differ: {} against {}.".format(*names)
    elif NO_BACKBONE not in (hashes := {one.cell.backbone_hash, other.cell.backbone_hash}) and len(hashes) > 1:
        yield f"The backbones differ: {one.cell.backbone} against {other.cell.backbone}."
    if one.cell.sources != other.cell.sources:
        yield f"The sources differ: {a.sources} against {b.sources}."
    for entry in (a, b):
        yield from (f"{entry.label}: {caveat}" for caveat in entry.caveats)


def _testable(x_a: Scores, x_b: Scores, method: IntervalMethod) -> bool:
    """Whether there are two of what is random."""
    return (min(len(x_a), len(x_b)) if method == "seeds" else x_a.shape[1]) > 1


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
