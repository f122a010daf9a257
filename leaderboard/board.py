"""The board: one block a target group, one row a configuration, each number with its interval.

Records with another task hash, protocol or backbone hash are never in one block; methods without a backbone stand in
every block of their task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..backbone import NO_BACKBONE
from ..records import Predictions, Record
from ..stats import Interval, IntervalMethod, interval, reduce

LoadPredictions = Callable[[Record], Predictions | None]


@dataclass(frozen=True)
class Setting:
    """What rows of one block have in common. `backbone` is the first name under which its hash was met."""

    task: str
    task_hash: str
    backbone: str
    backbone_hash: str
    protocol: str


@dataclass(frozen=True)
class Row:
    """One configuration on one target group.

    Attributes:
        label, sources: as shown.
        seeds: of the runs behind the number; `failed`: seeds of which a run failed.
        languages: how many of the group's languages every seed has predicted; `missing` the others.
        accuracy: the plain mean over those languages, in [0, 1]; None where no run succeeded.
        score: the same with its interval; None where there is none (one run, and seeds alone are random).
    """

    configuration: str
    label: str
    sources: str
    seeds: tuple[int, ...]
    failed: tuple[int, ...]
    languages: int
    missing: tuple[str, ...]
    accuracy: float | None
    score: Interval | None
    selected_on: str
    trainable_parameters: int


@dataclass(frozen=True)
class Block:
    """One target group in one setting, best mean first; rows without a score come last."""

    setting: Setting
    group: str
    codes: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Answers:
    """Right and wrong answers of one configuration.

    Attributes:
        seeds: those with predictions, in order.
        codes: every language that was predicted.
        y: shape (seeds, languages, items), 1 where right, NaN where a language lacks the item or a seed the language.
    """

    seeds: tuple[int, ...]
    codes: tuple[str, ...]
    y: NDArray[np.float64]

    def of(self, group: Sequence[str]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Answers (seeds, languages, items) in the group's languages that every seed has, and which these are."""
        there = np.asarray((~np.isnan(self.y)).any(axis=2).all(axis=0)) & bool(self.seeds)
        at = {code: i for i, code in enumerate(self.codes) if there[i]}
        kept = tuple(code for code in group if code in at)
        return self.y[:, [at[code] for code in kept]], kept


def build(
    records: Sequence[Record], load: LoadPredictions, *, method: IntervalMethod = "two-way", level: float = 0.95
) -> list[Block]:
    """All blocks of these Records, in order of setting and first appearance of the group.

    Args:
        records: of any tasks and backbones.
        load: gives the predictions of a complete Record, or None where they cannot be had.
        method: of the intervals.
        level: of the intervals.
    """
    configurations: dict[str, list[Record]] = {}
    for record in records:
        configurations.setdefault(record.cell.configuration, []).append(record)
    blocks: dict[tuple[Setting, str, tuple[str, ...]], list[Row]] = {}
    settings = _settings(records)
    for runs in configurations.values():
        gathered = gather((record.cell.seed, load(record)) for record in runs if record.complete)
        for group, codes in dict.fromkeys(item for record in runs for item in record.groups.items()):
            row = _row(runs, gathered, codes, method, level)
            for setting in _settings_of(runs[0], settings):
                blocks.setdefault((setting, group, codes), []).append(row)
    return [
        Block(setting, group, codes, tuple(_told_apart(sorted(rows, key=_order))))
        for (setting, group, codes), rows in sorted(blocks.items(), key=lambda item: settings.index(item[0][0]))
    ]


def with_floors(records: Sequence[Record], stored: Sequence[Record]) -> list[Record]:
    """These Records, and those of methods without a backbone on the same task, sources and protocol."""
    own = {record.cell.fingerprint for record in records}
    compared = {(*_data_of(record), group) for record in records for group in record.groups.items()}
    floors = [
        record
        for record in stored
        if record.cell.backbone_hash == NO_BACKBONE
        and record.cell.fingerprint not in own
        and any((*_data_of(record), group) in compared for group in record.groups.items())
    ]
    wanted = {group for *_, group in compared}
    return [*records, *(replace(floor, groups=_only(floor.groups, wanted)) for floor in floors)]


def gather(runs: Iterable[tuple[int, Predictions | None]]) -> Answers:
    """The answers of one configuration's runs, from (seed, predictions); None: not to be had.

    In the full protocol several runs have the same seed, each with its own target.
    """
    kept = [(seed, found) for seed, found in runs if found is not None]
    seeds = tuple(sorted({seed for seed, _ in kept}))
    at_language: dict[str, int] = {}
    at_item: dict[str, int] = {}
    places = []
    for seed, found in kept:
        places.append(
            (
                seeds.index(seed),
                _numbered(found.language, at_language),
                _numbered(found.item_id, at_item),
                found.correct,
            )
        )
    y = np.full((len(seeds), len(at_language), len(at_item)), np.nan)
    for seed_at, languages, items, correct in places:
        y[seed_at, languages, items] = correct
    return Answers(seeds, tuple(at_language), y)


def _numbered(texts: NDArray[np.object_], known: dict[str, int]) -> NDArray[np.int64]:
    """The number of each text; those that are new get the next ones."""
    listed = texts.tolist()
    for text in dict.fromkeys(listed):
        known.setdefault(text, len(known))
    return np.fromiter(map(known.__getitem__, listed), np.int64, len(listed))


def _data_of(record: Record) -> tuple[str, tuple[str, ...], str]:
    return record.cell.task_hash, record.cell.sources, record.cell.protocol


def _only(
    groups: Mapping[str, tuple[str, ...]], wanted: Collection[tuple[str, tuple[str, ...]]]
) -> dict[str, tuple[str, ...]]:
    return {name: codes for name, codes in groups.items() if (name, codes) in wanted}


def _settings(records: Iterable[Record]) -> list[Setting]:
    """Settings with a backbone, one for each hash; a task and protocol without any gets one of its own."""
    found: dict[tuple[str, ...], Setting] = {}
    for record in records:
        own = _setting(record)
        found.setdefault((own.task_hash, own.backbone_hash, own.protocol), own)
    with_backbone = [setting for setting in found.values() if setting.backbone_hash != NO_BACKBONE]
    covered = {(s.task_hash, s.protocol) for s in with_backbone}
    alone = [s for s in found.values() if s.backbone_hash == NO_BACKBONE and (s.task_hash, s.protocol) not in covered]
    return with_backbone + alone


def _settings_of(record: Record, settings: Sequence[Setting]) -> list[Setting]:
    """Where a Record's row stands: in its own setting, or without a backbone in every one of its task and protocol."""
    own = _setting(record)
    return [
        s
        for s in settings
        if (s.task_hash, s.protocol) == (own.task_hash, own.protocol)
        and own.backbone_hash in (s.backbone_hash, NO_BACKBONE)
    ]


def _setting(record: Record) -> Setting:
    cell = record.cell
    return Setting(cell.task, cell.task_hash, cell.backbone, cell.backbone_hash, cell.protocol)


def _row(
    runs: Sequence[Record], gathered: Answers, codes: tuple[str, ...], method: IntervalMethod, level: float
) -> Row:
    first = runs[0]
    y, kept = gathered.of(codes)
    scores = reduce(y, kept) if kept else None
    complete = [record for record in runs if record.complete]
    return Row(
        configuration=first.cell.configuration,
        label=first.label,
        sources=first.sources_label,
        seeds=gathered.seeds,
        failed=tuple(sorted({record.cell.seed for record in runs if not record.complete})),
        languages=len(kept),
        missing=tuple(code for code in codes if code not in kept),
        accuracy=None if scores is None else float(scores.mean()),
        score=None if scores is None else _interval(scores, complete, method, level),
        selected_on=next((record.selected_on for record in complete), ""),
        trainable_parameters=max((int(r.fit.get("trainable_parameters", 0)) for r in complete), default=0),
    )


def _interval(
    scores: NDArray[np.float64], runs: Sequence[Record], method: IntervalMethod, level: float
) -> Interval | None:
    """None where the method has nothing to go by: one seed if seeds alone are random, else one item."""
    seeds, items = scores.shape
    if (seeds if method == "seeds" else items) < 2:
        return None
    key = "|".join(sorted(record.cell.fingerprint for record in runs)).encode()
    return interval(scores, method, level, key=key)


def _order(row: Row) -> tuple[float, str]:
    return (np.inf if row.accuracy is None else -row.accuracy, row.label)


def _told_apart(rows: Sequence[Row]) -> list[Row]:
    """Rows that would read alike get the first digits of their configuration's fingerprint."""
    names = Counter((row.label, row.sources) for row in rows)
    return [
        replace(row, label=f"{row.label} #{row.configuration[:4]}") if names[row.label, row.sources] > 1 else row
        for row in rows
    ]
