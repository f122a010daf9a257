"""An Entry: one configuration with all its runs, before it is scored. It becomes a row of the board."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.gathering import Gathered
from xlt_bench.records.answers import ABSENT
from xlt_bench.records.record import Evidence, Record

NO_SOURCES = "none"
"""How a Record says that the task was learned from no other language."""

LEVELS: tuple[Evidence, ...] = get_args(Evidence)
"""From the strongest to the weakest."""


@dataclass(frozen=True)
class Answers:
    """Right and wrong answers of one configuration.

    Attributes:
        seeds: those with predictions, in order.
        codes, items: all languages and item ids of the board.
        right: (seeds, languages, items) 1 right, 0 wrong, -1 where a language lacks the item or a seed the language.
    """

    seeds: tuple[int, ...]
    codes: tuple[str, ...]
    items: tuple[str, ...]
    right: NDArray[np.int8]

    @cached_property
    def languages(self) -> frozenset[str]:
        """Those that every seed has."""
        there = (self.right != ABSENT).any(axis=2).all(axis=0)
        return frozenset(code for code, present in zip(self.codes, there, strict=True) if present)

    @cached_property
    def content(self) -> bytes:
        """What draws of seeds follow from: the answers and nothing else."""
        return hashlib.sha256(repr(self.seeds).encode() + self.right.tobytes()).digest()

    def of(self, group: Sequence[str]) -> NDArray[np.int8]:
        """The answers in these languages, in this order; every seed must have them."""
        at = {code: position for position, code in enumerate(self.codes)}
        return self.right[:, [at[code] for code in group]]

    def with_seeds(self, seeds: Sequence[int]) -> Answers:
        """Those of these seeds alone."""
        at = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), right=self.right[at])

    @cached_property
    def accuracy(self) -> dict[str, float]:
        """By language, in [0, 1], mean over seeds, of the languages that every seed has."""
        present = self.right != ABSENT
        means = (self.right * present).sum(axis=(0, 2)) / np.maximum(1, present.sum(axis=(0, 2)))
        return {code: float(mean) for code, mean in zip(self.codes, means, strict=True) if code in self.languages}


@dataclass(frozen=True)
class Entry:
    """One configuration.

    Attributes:
        label: unique together with the sources among the entries of one setting.
        records: its runs, by seed and target.
        answers: of the runs whose predictions can be had; None for weaker evidence, or where there are none.
        weaker: Records of the same system with weaker evidence; the row shows their groups, not their numbers.
        skipped: seeds of complete runs whose predictions cannot be used.
        caveats: what a reader should see beside the row.
    """

    label: str
    records: tuple[Record, ...]
    answers: Answers | None
    weaker: tuple[Record, ...] = ()
    skipped: tuple[int, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def first(self) -> Record:
        """A run that speaks for all: a complete one if there is any."""
        return next((record for record in self.records if record.complete), self.records[0])

    @property
    def key(self) -> str:
        """The configuration's fingerprint."""
        return self.first.cell.configuration

    @property
    def evidence(self) -> Evidence:
        """Decides which interval and test is allowed."""
        return self.first.evidence

    @property
    def sources(self) -> str:
        """As shown; `none` where the task was learned from no other language."""
        return self.first.sources_label or NO_SOURCES

    @property
    def failed(self) -> tuple[int, ...]:
        """Seeds of which a run failed."""
        return tuple(sorted({record.cell.seed for record in self.records if not record.complete}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the runs behind the numbers."""
        return () if self.answers is None else self.answers.seeds

    def by_language(self) -> Mapping[str, float]:
        """Accuracy in [0, 1] by language; empty for aggregate evidence."""
        if self.evidence == "per_item":
            return {} if self.answers is None else self.answers.accuracy
        return dict(self.first.accuracy)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The target groups that its runs speak of."""
        found: dict[str, tuple[str, ...]] = {}
        for record in (*self.records, *self.weaker):
            for name, codes in record.groups.items():
                found.setdefault(name, codes)
        return found


def entries_of(records: Iterable[Record], gathered: Gathered) -> list[Entry]:
    """The configurations of these Records in order of their first one; of one system only the strongest evidence."""
    runs: dict[str, list[Record]] = {}
    for record in records:
        runs.setdefault(record.cell.configuration, []).append(record)
    return told_apart([_entry(own, weaker, gathered) for own, weaker in _by_evidence(runs.values())])


def told_apart(entries: Sequence[Entry]) -> list[Entry]:
    """Entries that would read alike get the first digits of their configuration's fingerprint."""
    names = Counter(_name(entry) for entry in entries)
    return [
        replace(entry, label=f"{entry.label} #{entry.key[:4]}") if names[_name(entry)] > 1 else entry
        for entry in entries
    ]


def _name(entry: Entry) -> tuple[str, ...]:
    cell = entry.first.cell
    return (entry.label, entry.sources, cell.protocol, cell.backbone_hash, entry.first.setting)


def _entry(records: Sequence[Record], weaker: Sequence[Record], gathered: Gathered) -> Entry:
    own = tuple(sorted(records, key=lambda record: (record.cell.seed, record.cell.targets)))
    usable = [record for record in own if record.cell.fingerprint in gathered.right]
    by_seed: dict[int, NDArray[np.int8]] = {}
    for record in usable:  # in the full protocol each target is a run of its own: -1 gives way to what another has
        right, seed = gathered.right[record.cell.fingerprint], record.cell.seed
        by_seed[seed] = np.maximum(by_seed[seed], right) if seed in by_seed else right
    agreed = gathered.items
    answers = None
    if by_seed:
        answers = Answers(tuple(by_seed), agreed.codes, agreed.items, np.stack(list(by_seed.values())))
    lost = {record.cell.seed for record in own if record.complete and record.evidence == "per_item"} - set(by_seed)
    remarks = [gathered.remarks.get(record.cell.fingerprint) for record in usable]
    caveats = dict.fromkeys(filter(None, [*own[0].caveats, *remarks, *map(_also, weaker)]))
    return Entry(own[0].label, own, answers, tuple(weaker), tuple(sorted(lost)), tuple(caveats))


def _by_evidence(configurations: Iterable[list[Record]]) -> list[tuple[list[Record], list[Record]]]:
    """The configurations to show, each with the Records of the same system that have weaker evidence."""
    every = list(configurations)
    best: dict[tuple[object, ...], int] = {}
    for runs in every:
        best[_system(runs[0])] = min(_level(runs[0]), best.get(_system(runs[0]), len(LEVELS)))
    weaker: dict[tuple[object, ...], list[Record]] = {}
    for runs in every:
        if _level(runs[0]) > best[_system(runs[0])]:
            weaker.setdefault(_system(runs[0]), []).extend(runs)
    shown = [runs for runs in every if _level(runs[0]) == best[_system(runs[0])]]
    return [(runs, weaker.get(_system(runs[0]), [])) for runs in shown]


def _level(record: Record) -> int:
    return LEVELS.index(record.evidence)


def _also(record: Record) -> str:
    evidence = record.evidence.replace("_", " ")
    return (
        f"Published with weaker evidence ({evidence}) and not shown: {record.label}, {record.source or record.origin}."
    )


def _system(record: Record) -> tuple[object, ...]:
    """What a published result is of; our own runs are each a system of their own."""
    cell = record.cell
    return (cell.method, record.setting, cell.sources) if record.setting else (cell.configuration,)
