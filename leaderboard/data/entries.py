"""An Entry: one configuration with all its runs, before it is scored. It becomes a row of the board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from xlt_bench.leaderboard.data.evidence import strongest
from xlt_bench.leaderboard.data.gathering import Gathered
from xlt_bench.leaderboard.data.seed_answers import RunAnswers, SeedAnswers
from xlt_bench.metrics import ACCURACY, Metric
from xlt_bench.records.budget import excesses
from xlt_bench.records.record import Evidence, Record

NO_SOURCES = "none"
"""How a Record says that the task was learned from no other language."""


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
    answers: SeedAnswers | None
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

    @property
    def is_stored(self) -> bool:
        """Whether these are answers that another run does not change: of others, or of one given set of weights."""
        return bool(self.first.setting) or self.first.runs is not None

    def languages(self, metric: Metric = ACCURACY) -> tuple[str, ...]:
        """Those of which `by_language` has a score."""
        if self.evidence == "per_item":
            return () if self.answers is None else self.answers.languages
        return tuple(self._published(metric))

    def by_language(self, metric: Metric = ACCURACY) -> Mapping[str, float]:
        """Score in [0, 1] by language; empty for aggregate evidence, and where this metric was not published."""
        if self.evidence == "per_item":
            return {} if self.answers is None else self.answers.by_language(metric)
        return dict(self._published(metric))

    def _published(self, metric: Metric) -> Mapping[str, float]:
        scores = {"accuracy": self.first.accuracy, "macro-f1": self.first.macro_f1}
        return scores.get(metric.name, {})

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The target groups that its runs speak of."""
        groups: dict[str, tuple[str, ...]] = {}
        for record in (*self.records, *self.weaker):
            for name, codes in record.groups.items():
                groups.setdefault(name, codes)
        return groups


def entries_of(records: Iterable[Record], gathered: Gathered) -> list[Entry]:
    """The configurations of these Records in order of their first one; of one system only the strongest evidence."""
    runs: dict[str, list[Record]] = {}
    for record in records:
        runs.setdefault(record.cell.configuration, []).append(record)
    return _with_unique_labels(
        [_entry(configuration, weaker, gathered) for configuration, weaker in strongest(runs.values())]
    )


def _with_unique_labels(entries: Sequence[Entry]) -> list[Entry]:
    """Entries that would read alike get the first digits of their configuration's fingerprint."""
    counts = Counter(_name(entry) for entry in entries)
    return [
        replace(entry, label=f"{entry.label} #{entry.key[:4]}") if counts[_name(entry)] > 1 else entry
        for entry in entries
    ]


def _name(entry: Entry) -> tuple[str, ...]:
    cell = entry.first.cell
    backbone = "" if cell.prompt is not None else cell.backbone_hash  # prompted models stand in one table
    return (entry.label, entry.sources, cell.protocol, backbone, entry.first.setting)


def _entry(records: Sequence[Record], weaker: Sequence[Record], gathered: Gathered) -> Entry:
    runs = tuple(sorted(records, key=lambda record: (record.cell.seed, record.cell.targets)))
    usable = [record for record in runs if record.cell.fingerprint in gathered.runs]
    by_seed: dict[int, list[RunAnswers]] = {}
    for record in usable:  # in the full protocol each target is a run of its own
        by_seed.setdefault(record.cell.seed, []).append(gathered.runs[record.cell.fingerprint])
    lost = {record.cell.seed for record in runs if record.has_answers} - set(by_seed)
    remarks = [gathered.remarks.get(record.cell.fingerprint) for record in usable]
    beyond = [f"Beyond the budget: {text}." for text in excesses([record for record in runs if record.complete])]
    caveats = dict.fromkeys(filter(None, [*runs[0].caveats, *remarks, *beyond, *map(_published_too, weaker)]))
    return Entry(
        label=runs[0].row_label,
        records=runs,
        answers=SeedAnswers.of(by_seed, gathered.items) if by_seed else None,
        weaker=tuple(weaker),
        skipped=tuple(sorted(lost)),
        caveats=tuple(caveats),
    )


def _published_too(record: Record) -> str:
    evidence = record.evidence.replace("_", " ")
    where = record.source or record.origin
    return f"Published with weaker evidence ({evidence}) and not shown: {record.row_label}, {where}."
