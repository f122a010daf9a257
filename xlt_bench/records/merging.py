"""Merging: the Records of one store into another, where they do not contradict each other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.io.paths import is_there
from xlt_bench.io.texts import reason
from xlt_bench.records.index import signature_of
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.packing import write_row
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

_NAMED = 5
"""Conflicts that an error names."""
_AGAIN = "what was copied is whole: merge again"


@dataclass(frozen=True)
class Merge:
    """What merging would copy.

    Attributes:
        new: Records that the target lacks, or has of a failed run where the source's is complete.
        shared: how many both stores have with the same answers, or failed in both.
        labels: configuration -> the name that a user gave to the row in the source, where the target has none.
        damaged: what is not copied because it cannot be read in one of the two, one line each.
    """

    new: tuple[Record, ...]
    shared: int
    labels: dict[str, str]
    damaged: tuple[str, ...]


def plan_merge(source: Store, target: Store) -> Merge:
    """What of a store another one lacks.

    Raises:
        StoreError: both have other answers of one run, or other names of one row; or one store cannot be read.
    """
    records, damaged = _readable(source)
    target_records, target_damaged = _readable(target)
    new, shared, conflicts = [], 0, list[str]()
    for fingerprint, record in records.items():
        target_record = target_records.get(fingerprint)
        if fingerprint in target_damaged:  # perhaps a newer version's: never replaced
            fault = target_damaged[fingerprint].reason
            damaged[fingerprint] = Damaged(target.folder_of(fingerprint), f"{fault}; remove it: xlt-bench forget")
        elif target_record is None or (record.complete and not target_record.complete):
            new.append(record)
        elif record.complete and (difference := _contradiction(source, record, target, target_record)):
            conflicts.append(f"Record {fingerprint} ({record.row_label}, seed {record.cell.seed}): {difference}")
        else:
            shared += 1
    labels, named = source.labels.read(), target.labels.read()
    for configuration, label in labels.items():
        if named.get(configuration, label) != label:
            names = f"'{label}' in one and '{named[configuration]}' in the other"
            conflicts.append(f"row {configuration[:8]} is called {names}")
    if conflicts:
        more = f"; and {len(conflicts) - _NAMED} more" if len(conflicts) > _NAMED else ""
        raise StoreError(
            f"{source.folder} and {target.folder} contradict each other, and nothing was copied: "
            f"{'; '.join(conflicts[:_NAMED])}{more}; forget or rename one of the two: xlt-bench forget, xlt-bench label"
        )
    return Merge(
        new=tuple(new),
        shared=shared,
        labels={key: label for key, label in labels.items() if key not in named},
        damaged=tuple(f"{folder.folder}: {folder.reason}" for folder in damaged.values()),
    )


def _readable(store: Store) -> tuple[dict[str, Record], dict[str, Damaged]]:
    """The Records of a store that can be read with their answers, and what cannot, by fingerprint."""
    records, folders = store.records(with_answers=True)
    damaged = {folder.folder.name: folder for folder in folders}
    for record in records:
        if fault := store.fault(record):
            damaged[record.cell.fingerprint] = Damaged(store.folder_of(record.cell.fingerprint), fault)
    by_fingerprint = {record.cell.fingerprint: record for record in records}
    return {name: record for name, record in by_fingerprint.items() if name not in damaged}, damaged


def merge(plan: Merge, source: Store, target: Store) -> None:
    """Copy what was planned, with weights; each Record is whole or absent.

    Raises:
        StoreError: the disk does not take it, or another process changes the source; what was copied is whole, and
            merging again goes on.
    """
    target.check_writable()
    try:
        for record in plan.new:
            _copy(record, source, target)
    except OSError as error:
        raise StoreError(f"the store {target.folder} cannot be written: {reason(error)}; nothing is lost") from error
    for configuration, label in plan.labels.items():
        target.labels.write(configuration, label)


def _copy(record: Record, source: Store, target: Store) -> None:
    fingerprint = record.cell.fingerprint
    folder = source.folder_of(fingerprint)
    if is_there(folder):
        _copy_folder(fingerprint, source, target)
        return
    table = source.pack.table()
    if table is None or fingerprint not in table.positions:
        raise StoreError(f"{folder} is not there any more: another process removed it; {_AGAIN}")
    with source.pack.reading():
        write_row(target, table.row(table.positions[fingerprint]))


def _copy_folder(fingerprint: str, source: Store, target: Store) -> None:
    """Copy a folder with all its files as they were at one moment; OSError if the target does not take them."""
    folder = source.folder_of(fingerprint)
    signature = signature_of(folder)
    changed = StoreError(f"{folder} was changed by another process while it was copied; {_AGAIN}")
    if not source.has_readable_folder(fingerprint):
        raise changed
    with atomic.temporary(target.folder) as draft:
        try:
            shutil.copytree(folder, draft / fingerprint)
        except OSError as error:
            if signature_of(folder) != signature:
                raise changed from error
            raise
        if signature_of(folder) != signature:
            raise changed
        atomic.move_in(draft / fingerprint, target.folder_of(fingerprint))


def _contradiction(source: Store, record: Record, target: Store, target_record: Record) -> str:
    """How the answers of one run differ in two stores; empty where they do not."""
    if record.has_answers != target_record.has_answers:
        return "only one of them has answers to single items"
    if not record.has_answers:
        return "" if record.accuracy == target_record.accuracy else "its figures are others"
    sheets = source.sheet(record), target.sheet(target_record)
    if sheets[0].layout.key != sheets[1].layout.key:
        return "its items are others"
    answers = (np.array([*sheet.labels, ""], object)[sheet.predicted] for sheet in sheets)
    different = int(np.not_equal(*answers).sum())
    return f"{different} of its answers are others" if different else ""
