"""The boards of a store, one for each task: what `xlt-bench leaderboard` and `xlt-bench run` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.baselines import TASK_HASH
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.languages.expressions import parse_languages, target_groups
from xlt_bench.leaderboard.board.assemble import NOTHING, assemble, distinct_records
from xlt_bench.leaderboard.board.model import Board
from xlt_bench.leaderboard.board.scoring import Options
from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.facts import known_groups, language_facts
from xlt_bench.leaderboard.data.gathering import Gold, gather
from xlt_bench.records.answers import Sheet
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.tasks import task_info, task_names


@dataclass(frozen=True)
class Filter:
    """Which Records to show; None: all.

    Attributes:
        task: its name, `name@` and the first digits of its hash, or the path of its `task.toml`.
        backbone: name, or the first digits of its hash; what has none of ours stays, as a floor or for comparison.
        sources: an expression as for `xlt-bench run --sources`; results that learned from no other language stay.
        targets: an expression as for `xlt-bench run --targets`: which groups are the columns.
    """

    task: str | None = None
    backbone: str | None = None
    sources: str | None = None
    targets: str | None = None


def boards_of(store: Store, chosen: Filter, options: Options) -> list[Board]:
    """One board a task hash, stored baselines of these tasks included; with nothing in the store, those alone.

    Raises:
        ConfigError: nothing answers to the filter.
    """
    records, skipped = records_of(store, chosen)
    return [board_of(own, store, options, chosen.targets, skipped) for own in by_task(records)]


def board_of(
    records: Sequence[Record], store: Store, options: Options, targets: str | None = None, skipped: Sequence[str] = ()
) -> Board:
    """The board of Records of one task hash.

    Args:
        targets: see `Filter`.
        skipped: what could not be read at all, one line each.
    """
    if targets is not None:
        options = replace(options, targets=groups_named(records, targets))
    return assemble(records, partial(load, store), options, witness=witness_of(records), skipped=skipped)


def records_of(store: Store, chosen: Filter, every_task: bool = False) -> tuple[list[Record], list[str]]:
    """What a filter leaves of the store and of the stored baselines, and one line for each Record that is damaged.

    Args:
        every_task: with the stored baselines of tasks too of which the store has nothing.

    Raises:
        ConfigError: nothing is left.
    """
    records, damaged = store.records()
    chosen = replace(chosen, task=_task_named(chosen.task, records))
    wanted = [record for record in records if _is_of(record, chosen.task)]
    stored = [record for record, _ in published.published().values() if _is_of(record, chosen.task)]
    own = {record.cell.task for record in wanted}
    together = wanted + [record for record in stored if every_task or not own or record.cell.task in own]
    by_label = any(record.sources_label == chosen.sources for record in together)
    codes = _codes_by_task(together)
    shown = [record for record in together if _fits(record, chosen, by_label, codes[record.cell.task])]
    if not shown:
        _refuse(store, chosen, len(records))
    return shown, [f"{found.folder}: {found.reason}" for found in damaged]


def entries_in(store: Store, chosen: Filter, every_task: bool = False) -> list[Entry]:
    """The rows that the boards of a store would have, before they are scored; see `records_of`."""
    found = []
    for own in by_task(records_of(store, chosen, every_task)[0]):
        distinct, _ = distinct_records(own)
        countable = [one for one in distinct if one.complete and one.evidence == "per_item"]
        found += entries_of(distinct, gather(countable, partial(load, store), witness_of(own)))
    return found


def with_floors(records: Sequence[Record], stored: Sequence[Record]) -> list[Record]:
    """These Records, and those stored of methods without a backbone on the same task, sources and protocol."""
    own = {record.cell.fingerprint for record in records}
    compared = {_data_of(record) for record in records}
    floors = [
        record
        for record in stored
        if record.cell.backbone_hash == NO_BACKBONE
        and not record.setting
        and record.cell.fingerprint not in own
        and _data_of(record) in compared
    ]
    return [*records, *floors]


def load(store: Store, record: Record) -> Sheet:
    """The Sheet of a complete per-item Record, from the stored baselines or from the store."""
    known = published.published().get(record.cell.fingerprint)
    return store.sheet(record) if known is None else published.published_sheet(known[1])


def witness_of(records: Sequence[Record]) -> Gold:
    """What the task of these Records is known to hold, where that can be told without loading it."""
    return published.known_items() if records[0].cell.task_hash == TASK_HASH else NOTHING


def groups_named(records: Sequence[Record], targets: str) -> Mapping[str, tuple[str, ...]]:
    """The groups that an expression names, those of the task and those that the Records speak of."""
    cell = next((record.cell for record in records if record.cell.backbone_hash != NO_BACKBONE), records[0].cell)
    backbone = None if cell.backbone_hash == NO_BACKBONE else cell.backbone
    known = dict(known_groups(cell.task, backbone))
    for record in records:
        known.update({group: frozenset(codes) for group, codes in record.groups.items() if group not in known})
    languages = list(language_facts(cell.task, backbone)) or sorted(frozenset().union(*known.values()))
    return target_groups(targets, (), known, languages, backbone=cell.backbone)


def by_task(records: Iterable[Record]) -> list[list[Record]]:
    """Records by task and hash, in order of name; of two hashes of one task the one with more Records first."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record.cell.task, record.cell.task_hash), []).append(record)
    return [own for _, own in sorted(found.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))]


def _is_of(record: Record, task: str | None) -> bool:
    name, _, digits = (task or "").partition("@")
    return task is None or (record.cell.task == name and record.cell.task_hash.startswith(digits))


def _task_named(reference: str | None, records: Sequence[Record]) -> str | None:
    """What a filter calls a task, with the name in its place where a path is given."""
    known = (*task_names(), *sorted({record.cell.task for record in records}))
    name = (reference or "").partition("@")[0]
    if reference is None or name in known:
        return reference
    if name.endswith(".toml") or Path(name).is_dir():
        return task_info(name).name
    raise unknown("task", name, known, "xlt-bench ls tasks")


def _codes_by_task(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Task -> all languages that its Records speak of, for tasks that are not installed."""
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(record.cell.task, set()).update(record.cell.sources, record.cell.targets)
    return {task: tuple(sorted(codes)) for task, codes in found.items()}


def _fits(record: Record, chosen: Filter, by_label: bool, codes: tuple[str, ...]) -> bool:
    """Whether a filter leaves a Record.

    Args:
        by_label: some Record bears the sources asked for as its label, so that they need no reading.
        codes: the languages of the task as far as Records tell.
    """
    cell = record.cell
    if chosen.backbone is not None and not (
        cell.backbone in (chosen.backbone, NO_BACKBONE) or cell.backbone_hash.startswith(chosen.backbone)
    ):
        return False
    if chosen.sources is None or not cell.sources or record.sources_label == chosen.sources:
        return True
    return not by_label and set(cell.sources) == set(_languages(cell, chosen.sources, codes))


def _languages(cell: Cell, expression: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    backbone = None if cell.backbone_hash == NO_BACKBONE else cell.backbone
    languages = language_facts(cell.task, backbone) or codes
    known = known_groups(cell.task, backbone)
    return parse_languages(expression, known, languages, option="--sources", backbone=cell.backbone)


def _data_of(record: Record) -> tuple[str, tuple[str, ...], str]:
    return record.cell.task_hash, record.cell.sources, record.cell.protocol


def _refuse(store: Store, chosen: Filter, count: int) -> None:
    given = " ".join(f"--{option} {value}" for option, value in vars(chosen).items() if value is not None)
    raise ConfigError(f"no Records fit {given} among the {count} in {store.folder}; make some: xlt-bench run")
