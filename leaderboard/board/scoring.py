"""One configuration on one target group: its mean, its intervals, and what is behind them. No comparison yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.board.model import Bounds, GroupScore
from xlt_bench.leaderboard.data.entries import Answers, Entry
from xlt_bench.leaderboard.data.facts import is_in_language
from xlt_bench.records.answers import ABSENT
from xlt_bench.stats import IntervalMethod, interval, reduce
from xlt_bench.stats.intervals import joined, seed_note

Scores = NDArray[np.float64]
POINT = "point value: no interval, no test"
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Options:
    """How a board is made.

    Attributes:
        interval: what the shown intervals and the tests take as random.
        level: of the intervals; alpha of the tests is 1 - level.
        bootstrap: compute the bootstrap's intervals too; the board takes about a second longer.
        reference: a row with which every other is compared: its label, `label:sources`, or the first digits of its key.
        targets: groups to show in place of those that the Records speak of, name -> codes.
    """

    interval: IntervalMethod = "two-way"
    level: float = 0.95
    bootstrap: bool = False
    reference: str | None = None
    targets: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Reduced:
    """Answers in some languages, reduced to scores.

    Attributes:
        x: (seeds, items that occur in these languages).
        items: hash of the ids of these items.
    """

    x: Scores
    items: bytes


@dataclass(frozen=True)
class Measured:
    """An entry on a group. `accuracy` is over `languages`; `reduced` is None for evidence weaker than per_item."""

    entry: Entry
    accuracy: float
    languages: tuple[str, ...]
    missing: tuple[str, ...]
    reduced: Reduced | None


@dataclass
class Reductions:
    """Remembers what was reduced: the languages of a row are mostly those that all ranked rows have."""

    _known: dict[tuple[str, tuple[str, ...]], Reduced] = field(default_factory=dict)

    def of(self, entry: Entry, languages: tuple[str, ...]) -> Reduced:
        """The entry's answers in these languages, which every seed must have."""
        key = (entry.key, languages)
        if key not in self._known:
            assert entry.answers is not None
            self._known[key] = reduced(entry.answers, languages)
        return self._known[key]


def reduced(answers: Answers, languages: Sequence[str]) -> Reduced:
    """Scores (seeds, items) of the plain mean over these languages."""
    right = answers.of(languages)
    occurring = (right[0] != ABSENT).any(axis=0)
    right = right[:, :, occurring]
    if right.min() > ABSENT:  # with every item in every language `reduce` is this plain mean, many times slower
        x = right.sum(axis=1, dtype=np.int64) / right.shape[1]
    else:
        x = reduce(np.where(right == ABSENT, np.nan, right.astype(np.float64)), languages)
    ids = (item for item, occurs in zip(answers.items, occurring.tolist(), strict=True) if occurs)
    return Reduced(x, hashlib.sha256("\x1f".join(ids).encode()).digest())


def measure(entry: Entry, group: str, codes: tuple[str, ...], reductions: Reductions) -> Measured | None:
    """An entry on a group; None where it has nothing to say about it, or was fitted on some of its languages."""
    sources = set(entry.first.cell.sources)
    if (set(codes) != sources) if is_in_language(group) else (set(codes) & sources):
        return None
    listed = any(set(own) == set(codes) for own in entry.groups().values())
    if entry.evidence == "aggregate":
        return _printed(entry, codes)
    known = entry.by_language()
    languages = tuple(code for code in codes if code in known)
    if not languages or not (listed or len(languages) == len(codes)):
        return None
    missing = tuple(code for code in codes if code not in known)
    if entry.evidence == "per_item":
        answers = reductions.of(entry, languages)
        return Measured(entry, float(answers.x.mean()), languages, missing, answers)
    return Measured(entry, float(np.mean([known[code] for code in languages])), languages, missing, None)


def score_of(measured: Measured, chance: Mapping[str, float], bootstrap: Bounds | None, options: Options) -> GroupScore:
    """The score without rank, letters and comparison, which need the other rows."""
    seeds, items = measured.entry.first.runs or 0, 0
    two_way = seeds_only = None
    if measured.reduced is not None:
        x = measured.reduced.x
        seeds, items = x.shape
        two_way = _interval(x, "two-way", options.level)
        seeds_only = _interval(x, "seeds", options.level) if options.interval == "seeds" else None
    bounds: dict[IntervalMethod, Bounds | None] = {
        "two-way": two_way,
        "bootstrap": bootstrap,
        "seeds": seeds_only,
    }
    shown = bounds[options.interval]
    level = _chance_of(measured.languages, chance)
    return GroupScore(
        accuracy=measured.accuracy,
        two_way=two_way,
        bootstrap=bootstrap,
        seeds_only=seeds_only,
        seeds=seeds,
        languages=len(measured.languages),
        items=items,
        missing=measured.missing,
        ranked_accuracy=None,
        rank=None,
        letters="",
        at_chance=level is not None and level >= (shown.low if shown else measured.accuracy) - _ROUNDING,
        note=POINT if measured.reduced is None else _note(seeds, items, bounds, options),
    )


def _note(seeds: int, items: int, bounds: Mapping[IntervalMethod, Bounds | None], options: Options) -> str | None:
    """What to say about the shown interval, and about the bootstrap's where it is there too."""
    shown = bounds[options.interval]
    told = [seed_note(options.interval, seeds), seed_note("bootstrap", seeds) if bounds["bootstrap"] else None]
    if shown is None and items < 2:
        told.append("one item: no interval")
    if shown is not None and shown.low == shown.high:
        told.append("no variance")
    return joined(list(dict.fromkeys(told)))


def _printed(entry: Entry, codes: tuple[str, ...]) -> Measured | None:
    """A published mean stands for exactly the group that it was published for."""
    record = entry.first
    for name, value in record.group_accuracy.items():
        if set(record.groups.get(name, ())) == set(codes):
            return Measured(entry, value, codes, (), None)
    return None


def _interval(x: Scores, method: IntervalMethod, level: float) -> Bounds | None:
    """None where the method has nothing to go by: one seed if seeds alone are random, else one item."""
    seeds, items = x.shape
    if (seeds if method == "seeds" else items) < 2:
        return None
    found = interval(x, method, level)
    return Bounds(found.low, found.high)


def _chance_of(languages: Sequence[str], chance: Mapping[str, float]) -> float | None:
    if not languages or any(code not in chance for code in languages):
        return None
    return float(np.mean([chance[code] for code in languages]))
