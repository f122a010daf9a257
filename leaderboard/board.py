"""The board: one block a target group, one row a configuration, each number with its interval.

Records with another task hash, protocol or backbone hash are never in one block; methods without a backbone stand in
every block of their task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..backbone import NO_BACKBONE
from ..records import Predictions, Record
from ..stats import Interval, IntervalMethod, interval, reduce

LoadPredictions = Callable[[Record], Predictions]


@dataclass(frozen=True)
class Setting:
    """What rows of one block have in common."""

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
        seeds: of the runs behind the number; `failed`: seeds whose run failed.
        languages: how many of the group's languages were predicted; `missing` the others.
        score: accuracy in [0, 1] with its interval, None where no run succeeded.
        records: how many Records are behind the number.
    """

    configuration: str
    label: str
    sources: str
    seeds: tuple[int, ...]
    failed: tuple[int, ...]
    languages: int
    missing: tuple[str, ...]
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


def build(
    records: Sequence[Record], load: LoadPredictions, *, method: IntervalMethod = "two-way", level: float = 0.95
) -> list[Block]:
    """All blocks of these Records, in order of setting and first appearance of the group."""
    configurations: dict[str, list[Record]] = {}
    for record in records:
        configurations.setdefault(record.cell.configuration, []).append(record)
    blocks: dict[tuple[Setting, str, tuple[str, ...]], list[Row]] = {}
    settings = _settings(records)
    for runs in configurations.values():
        predictions = [(record, load(record)) for record in runs if record.complete]
        for group, codes in dict.fromkeys(item for record in runs for item in record.groups.items()):
            row = _row(runs, predictions, codes, method, level)
            for setting in _settings_of(runs[0], settings):
                blocks.setdefault((setting, group, codes), []).append(row)
    return [
        Block(setting, group, codes, tuple(_told_apart(sorted(rows, key=_order))))
        for (setting, group, codes), rows in sorted(blocks.items(), key=lambda item: settings.index(item[0][0]))
    ]


def with_floors(records: Sequence[Record], stored: Sequence[Record]) -> list[Record]:
    """These Records, and those of methods without a backbone on the same task, sources and protocol."""
    own = {record.cell.fingerprint for record in records}
    compared = {(r.cell.task_hash, r.cell.sources, r.cell.protocol, tuple(r.groups.items())) for r in records}
    floors = [
        record
        for record in stored
        if record.cell.backbone_hash == NO_BACKBONE
        and record.cell.fingerprint not in own
        and (record.cell.task_hash, record.cell.sources, record.cell.protocol, tuple(record.groups.items())) in compared
    ]
    return [*records, *floors]


def _settings(records: Iterable[Record]) -> list[Setting]:
    """Settings with a backbone; a task and protocol without any gets one of its own."""
    found = dict.fromkeys(_setting(record) for record in records)
    with_backbone = [setting for setting in found if setting.backbone_hash != NO_BACKBONE]
    covered = {(s.task_hash, s.protocol) for s in with_backbone}
    return with_backbone + [s for s in found if s not in with_backbone and (s.task_hash, s.protocol) not in covered]


def _settings_of(record: Record, settings: Sequence[Setting]) -> list[Setting]:
    own = _setting(record)
    if own in settings:
        return [own]
    return [s for s in settings if (s.task_hash, s.protocol) == (own.task_hash, own.protocol)]


def _setting(record: Record) -> Setting:
    cell = record.cell
    return Setting(cell.task, cell.task_hash, cell.backbone, cell.backbone_hash, cell.protocol)


def _row(
    runs: Sequence[Record],
    predictions: Sequence[tuple[Record, Predictions]],
    codes: tuple[str, ...],
    method: IntervalMethod,
    level: float,
) -> Row:
    first = runs[0]
    seeds = tuple(sorted({record.cell.seed for record, _ in predictions}))
    y, present = answers([(record.cell.seed, found) for record, found in predictions], codes)
    kept = [code for code, there in zip(codes, present, strict=True) if there]
    key = "|".join(sorted(record.cell.fingerprint for record, _ in predictions)).encode()
    score = interval(reduce(y[:, present], kept), method, level, key=key) if kept else None
    return Row(
        configuration=first.cell.configuration,
        label=first.label,
        sources=first.sources_label,
        seeds=seeds,
        failed=tuple(sorted({record.cell.seed for record in runs if not record.complete})),
        languages=len(kept),
        missing=tuple(code for code, there in zip(codes, present, strict=True) if not there),
        score=score,
        selected_on=next((record.selected_on for record, _ in predictions), ""),
        trainable_parameters=max(
            (int(record.fit.get("trainable_parameters", 0)) for record, _ in predictions), default=0
        ),
    )


def answers(
    runs: Sequence[tuple[int, Predictions]], codes: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Right and wrong answers as an array.

    Args:
        runs: (seed, predictions); in the full protocol several runs of one seed, each with its own target.
        codes: languages of the group.

    Returns:
        y of shape (seeds, languages, items), NaN where a language lacks the item, and which languages every seed has.
    """
    seeds = sorted({seed for seed, _ in runs})
    wanted, kept = set(codes), []
    for seed, found in runs:
        mask = np.fromiter((code in wanted for code in found.language), bool, len(found))
        kept.append((seeds.index(seed), found.language[mask], found.item_id[mask], found.correct[mask]))
    items = sorted({item for _, _, ids, _ in kept for item in ids})
    at_item = {item: at for at, item in enumerate(items)}
    at_language = {code: at for at, code in enumerate(codes)}
    y = np.full((len(seeds), len(codes), len(items)), np.nan)
    for seed_at, languages, ids, correct in kept:
        y[seed_at, [at_language[code] for code in languages], [at_item[item] for item in ids]] = correct
    every_seed = (~np.isnan(y)).any(axis=2).all(axis=0) & bool(seeds)
    return y, np.asarray(every_seed, bool)


def _order(row: Row) -> tuple[float, str]:
    return (-row.score.estimate if row.score else np.inf, row.label)


def _told_apart(rows: Sequence[Row]) -> list[Row]:
    """Rows that would read alike get the first digits of their configuration's fingerprint."""
    names = Counter((row.label, row.sources) for row in rows)
    return [
        replace(row, label=f"{row.label} #{row.configuration[:4]}") if names[row.label, row.sources] > 1 else row
        for row in rows
    ]
