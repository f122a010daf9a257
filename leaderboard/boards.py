"""The boards of a store, one for each task: what `xlt-bench leaderboard` and `xlt-bench run` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..backbone import NO_BACKBONE
from ..errors import ConfigError
from ..groups import parse_languages, target_groups
from ..records import Record
from ..store import Store
from . import published
from .assemble import NOTHING, assemble
from .facts import known_groups, language_facts
from .model import Board
from .scoring import Options
from .sheet import Sheet


@dataclass(frozen=True)
class Filter:
    """Which Records to show; None: all.

    Attributes:
        task: its name, or `name@` and the first digits of its hash.
        backbone: name, or the first digits of its hash; methods without a backbone stay, as floors.
        sources: an expression as for `xlt-bench run --sources`; results that learned from no other language stay.
        targets: an expression as for `xlt-bench run --targets`: which groups are the columns.
    """

    task: str | None = None
    backbone: str | None = None
    sources: str | None = None
    targets: str | None = None


def boards_of(store: Store, chosen: Filter, options: Options) -> list[Board]:
    """One board a task hash; with nothing in the store, or asked for their task, the stored baselines.

    Raises:
        ConfigError: nothing answers to the filter.
    """
    records, damaged = store.records()
    skipped = [f"{found.folder}: {found.reason}" for found in damaged]
    wanted = [record for record in records if _is_of(record, chosen.task)]
    stored = [record for record, _ in published.published().values() if _is_of(record, chosen.task)]
    tasks = {record.cell.task for record in wanted} or {record.cell.task for record in stored}
    together = wanted + [record for record in stored if record.cell.task in tasks]
    shown = [record for record in together if _fits(record, chosen)]
    if not shown:
        raise ConfigError(f"nothing to show for {_told(chosen)}: {store.folder} holds {len(records)} Records and none fits")
    return [board_of(own, store, options, chosen.targets, skipped) for own in _by_task(shown)]


def board_of(
    records: Sequence[Record], store: Store, options: Options, targets: str | None = None, skipped: Sequence[str] = ()
) -> Board:
    """The board of Records of one task hash.

    Args:
        targets: see `Filter`.
    """
    first = records[0].cell
    if targets is not None:
        options = replace(options, targets=_groups(records, targets))
    witness = published.known_items() if first.task_hash == published.TASK_HASH else NOTHING
    return assemble(records, partial(load, store), options, witness=witness, skipped=skipped)


def with_floors(records: Sequence[Record], store: Store) -> list[Record]:
    """These Records, and those in the store of methods without a backbone on the same data: what `run` shows."""
    own = {record.cell.fingerprint for record in records}
    compared = {_data_of(record) for record in records}
    stored, _ = store.records()
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
    """The Sheet of a complete per-item Record, from the store or from the stored baselines."""
    if record.cell.fingerprint in published.published():
        return published.published_sheet(published.published()[record.cell.fingerprint][1])
    return store.sheet(record)


def _by_task(records: Iterable[Record]) -> list[list[Record]]:
    """Records by task and hash, in order of name; of two hashes of one task the one with more Records first."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record.cell.task, record.cell.task_hash), []).append(record)
    return [own for _, own in sorted(found.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))]


def _is_of(record: Record, task: str | None) -> bool:
    name, _, digits = (task or "").partition("@")
    return task is None or (record.cell.task == name and record.cell.task_hash.startswith(digits))


def _fits(record: Record, chosen: Filter) -> bool:
    cell = record.cell
    if chosen.backbone is not None and cell.backbone_hash != NO_BACKBONE:
        if cell.backbone != chosen.backbone and not cell.backbone_hash.startswith(chosen.backbone):
            return False
    if chosen.sources is None or not cell.sources:
        return True
    return cell.sources == _languages(cell.task, cell.backbone, chosen.sources)


def _languages(task: str, backbone: str, expression: str) -> tuple[str, ...]:
    name = None if backbone == NO_BACKBONE else backbone
    languages = language_facts(task, name)
    return parse_languages(expression, known_groups(task, name), languages, what="--sources", backbone=backbone)


def _groups(records: Sequence[Record], targets: str) -> Mapping[str, tuple[str, ...]]:
    cell = next((record.cell for record in records if record.cell.backbone_hash != NO_BACKBONE), records[0].cell)
    name = None if cell.backbone_hash == NO_BACKBONE else cell.backbone
    known = dict(known_groups(cell.task, name))
    for record in records:
        known.update({group: frozenset(codes) for group, codes in record.groups.items() if group not in known})
    languages = list(language_facts(cell.task, name)) or sorted(set().union(*known.values()))
    return target_groups(targets, (), known, languages, backbone=cell.backbone)


def _data_of(record: Record) -> tuple[str, tuple[str, ...], str]:
    return record.cell.task_hash, record.cell.sources, record.cell.protocol


def _told(chosen: Filter) -> str:
    given = [f"--{name} {value}" for name, value in vars(chosen).items() if value is not None]
    return " ".join(given) or "an empty store"
