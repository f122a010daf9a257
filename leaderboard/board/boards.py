"""The boards of a store, one for each task: what `xlt-bench leaderboard` and `xlt-bench run` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.baselines import TASK_HASH
from xlt_bench.languages.expressions import target_groups
from xlt_bench.leaderboard.board.assemble import NO_WITNESS, assemble, distinct_records
from xlt_bench.leaderboard.board.filters import Filter, records_of
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.facts import language_facts, task_groups
from xlt_bench.leaderboard.data.gathering import Gold, gather
from xlt_bench.leaderboard.data.versions import Versions, by_version
from xlt_bench.records.answers import Sheet
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store


def boards_of(store: Store, chosen: Filter, options: Options) -> list[BoardContent]:
    """One board a task hash, stored baselines of these tasks included; with nothing in the store, those alone.

    Raises:
        ConfigError: nothing answers to the filter.
    """
    records, skipped = records_of(store, chosen)
    return [board_of(of_task, store, options, chosen.targets, skipped) for of_task in by_task(records)]


def board_of(
    records: Sequence[Record], store: Store, options: Options, targets: str | None = None, skipped: Sequence[str] = ()
) -> BoardContent:
    """The board of Records of one task hash.

    Args:
        targets: see `Filter`.
        skipped: what could not be read at all, one line each.
    """
    if targets is not None:
        options = replace(options, targets=groups_named(records, targets))
    versions = Versions(tuple(records), ()) if options.superseded else by_version(records)
    return assemble(
        versions.current,
        partial(load, store),
        options,
        witness=witness_of(records),
        skipped=skipped,
        superseded=versions.superseded,
    )


def entries_in(store: Store, chosen: Filter, everything: bool = False) -> list[Entry]:
    """The rows that the boards of a store would have, before they are scored.

    Args:
        everything: also those of tasks of which the store has nothing, and superseded ones.
    """
    entries = []
    selected, _ = records_of(store, chosen, everything)
    for records in by_task(selected if everything else by_version(selected).current):
        distinct, _ = distinct_records(records)
        countable = [record for record in distinct if record.has_answers]
        entries += entries_of(distinct, gather(countable, partial(load, store), witness_of(records)))
    return entries


def with_floors(records: Sequence[Record], stored: Sequence[Record]) -> list[Record]:
    """These Records, and those stored of methods without a backbone on the same task, sources and protocol."""
    fingerprints = {record.cell.fingerprint for record in records}
    compared = {_data_of(record) for record in records}
    floors = [
        record
        for record in stored
        if record.cell.backbone_hash == NO_BACKBONE
        and not record.setting
        and record.cell.fingerprint not in fingerprints
        and _data_of(record) in compared
    ]
    return [*records, *floors]


def load(store: Store, record: Record) -> Sheet:
    """The Sheet of a complete per-item Record, from the stored baselines or from the store."""
    stored = published.published().get(record.cell.fingerprint)
    return store.sheet(record) if stored is None else published.published_sheet(stored[1])


def witness_of(records: Sequence[Record]) -> Gold:
    """What the task of these Records is known to hold, where that can be told without loading it."""
    return published.listed_items() if records[0].cell.task_hash == TASK_HASH else NO_WITNESS


def groups_named(records: Sequence[Record], targets: str) -> Mapping[str, tuple[str, ...]]:
    """The groups that an expression names, those of the task and those that the Records speak of."""
    cell = next((record.cell for record in records if record.cell.backbone_hash != NO_BACKBONE), records[0].cell)
    backbone = None if cell.backbone_hash == NO_BACKBONE else cell.backbone
    groups = dict(task_groups(cell.task, backbone))
    for record in records:
        groups.update({group: frozenset(codes) for group, codes in record.groups.items() if group not in groups})
    languages = list(language_facts(cell.task, backbone)) or sorted(frozenset().union(*groups.values()))
    return target_groups(targets, (), groups, languages, backbone=cell.backbone)


def groups_of_pair(a: Entry, b: Entry, entries: Sequence[Entry], targets: str | None) -> dict[str, tuple[str, ...]]:
    """The groups that either row speaks of; or those that an expression names, as on the board that has both.

    Args:
        entries: the rows beside them; of the same task they may speak of further groups.
        targets: see `Filter`.
    """
    if targets is None:
        return {**a.groups(), **b.groups()}
    task = a.first.cell.task_hash
    records = [record for entry in (a, b, *entries) for record in entry.records if record.cell.task_hash == task]
    return dict(groups_named(records, targets))


def by_task(records: Iterable[Record]) -> list[list[Record]]:
    """Records by task and hash, in order of name; of two hashes of one task the one with more Records first.

    Published figures that claim no data stand with each hash of their task; alone where there is none.
    """
    tasks: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        tasks.setdefault((record.cell.task, record.cell.task_hash), []).append(record)
    for task, task_hash in list(tasks):
        if task_hash and (unclaimed := tasks.get((task, ""), [])):
            tasks[task, task_hash] += [published.on_data(record, task_hash) for record in unclaimed]
    with_data = {task for task, task_hash in tasks if task_hash}
    tasks = {key: of_task for key, of_task in tasks.items() if key[1] or key[0] not in with_data}
    return [of_task for _, of_task in sorted(tasks.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))]


def _data_of(record: Record) -> tuple[str, str, tuple[str, ...], str]:
    return record.cell.task, record.cell.task_hash, record.cell.sources, record.cell.protocol
