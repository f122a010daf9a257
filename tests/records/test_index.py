"""The index: boards read it in place of the Records, it is right whatever happens to them, and losing it costs time."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.records import predictions, record
from xlt_bench.io import signatures
from xlt_bench.io.cache import cache_folder
from xlt_bench.records import folder_reader, index
from xlt_bench.records.predictions_file import SheetReader
from xlt_bench.records.record import Record
from xlt_bench.records.record_table import RecordTable
from xlt_bench.records.store import Store

SEEDS = 4


@pytest.fixture(autouse=True)
def small_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index even a few Records that were written a moment ago, in a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(folder_reader, "FEWEST_INDEXED", 1)
    monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of four Records with answers and a failed one."""
    store = Store(tmp_path / "store")
    for seed in range(SEEDS):
        answers = predictions(seed=seed)
        store.write(record(answers, seed=seed), answers)
    store.write(record(seed=SEEDS, error="out of memory"), None)
    return store.folder


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders whose predictions are read from now on."""
    names = []
    read = SheetReader.read

    def counted(self: SheetReader, path: Path, *arguments: object) -> object:
        names.append(path.parent.name)
        return read(self, path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SheetReader, "read", counted)
    return names


def tables() -> list[Path]:
    return sorted(cache_folder("records").glob("*/*.parquet"))


def contents(folder: Path) -> dict[str, tuple[Record, list[object]]]:
    """What a new process reads: by fingerprint the Record and its answers."""
    store = Store(folder)
    records, damaged = store.records(with_answers=True)
    assert not damaged
    return {run.cell.fingerprint: (run, store.sheet(run).predicted.tolist() if run.complete else []) for run in records}


def truth(folder: Path) -> dict[str, tuple[Record, list[object]]]:
    """The same without any index."""
    store = Store(folder)
    runs = [run for run in map(store.find, (path.name for path in store.folders())) if isinstance(run, Record)]
    return {run.cell.fingerprint: (run, store.sheet(run).predicted.tolist() if run.complete else []) for run in runs}


def test_what_was_read_once_is_not_read_again(folder: Path, files_read: list[str]) -> None:
    first = contents(folder)
    assert len(files_read) == SEEDS
    assert len(tables()) == 1
    files_read.clear()
    assert contents(folder) == first
    assert files_read == []
    assert first == truth(folder)


def test_few_records_wait_until_they_are_many(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files_read: list[str]
) -> None:
    monkeypatch.setattr(folder_reader, "FEWEST_INDEXED", 3)
    store, names = Store(folder), [path.name for path in Store(folder).folders()]
    for count, name in enumerate(names[:3], 1):
        for _ in range(2):
            (run,) = store.find_all([name]).values()
            assert isinstance(run, Record)
            assert not run.complete or store.sheet(run).predicted.size
        assert len(tables()) == (count == 3)
    assert len(files_read) == len(set(files_read)), "each once"
    expected = truth(folder)
    assert {name: store.find_all([name])[name] for name in names} == {name: run for name, (run, _) in expected.items()}


def test_the_store_gets_no_file(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    contents(folder)
    assert sorted(folder.rglob("*")) == before
    assert {path.name for path in before if path.is_file()} == {"record.json", "predictions.parquet"}


def added(folder: Path) -> None:
    answers = predictions(seed=9)
    Store(folder).write(record(answers, seed=9), answers)


def changed(folder: Path) -> None:
    store, other = Store(folder), predictions(seed=77)
    run = store.records()[0][0]
    answers = replace(run, accuracy=other.accuracy(), status="complete", error=None, item_hash=other.item_hash())
    store.write(answers, other)


def rescored(folder: Path) -> None:
    store = Store(folder)
    store.update(replace(store.records()[0][0], macro_f1={"kat_Geor": 0.5}))


def forgotten(folder: Path) -> None:
    store = Store(folder)
    store.forget([store.folders()[0].name])


CHANGES = {change.__name__: change for change in (added, changed, rescored, forgotten)}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_right_after_a_change(folder: Path, change: str) -> None:
    before = contents(folder)
    CHANGES[change](folder)
    after = contents(folder)
    assert after != before
    assert after == truth(folder)
    assert contents(folder) == after


def test_it_is_right_after_a_backup_with_older_times_comes_back(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(folder, backup)  # keeps times
    original = contents(folder)
    changed(folder)
    rescored(folder)
    assert contents(folder) != original
    for path in backup.rglob("*"):
        if path.is_file():
            shutil.copy2(path, folder / path.relative_to(backup))  # content and time are as they once were
    assert contents(folder) == original


def test_a_store_that_takes_the_place_of_another_is_read_anew(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    changed(other)
    expected = truth(other)
    contents(folder)
    shutil.rmtree(folder)
    other.rename(folder)
    assert contents(folder) == expected


DAMAGE = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "of another kind": lambda content: b"PK\x03\x04" + content,
    "a flipped bit in each page": lambda content: bytes(
        byte ^ (1 if place % 97 == 0 and 200 < place < len(content) - 20_000 else 0)
        for place, byte in enumerate(content)
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_made_again(folder: Path, damage: str) -> None:
    before = contents(folder)
    (table,) = tables()
    table.write_bytes(DAMAGE[damage](table.read_bytes()))
    assert contents(folder) == before
    assert contents(folder) == before


def test_many_small_tables_become_one(folder: Path, files_read: list[str]) -> None:
    for seed in range(20, 20 + index._MOST_TABLES + 2):
        answers = predictions(seed=seed)
        Store(folder).write(record(answers, seed=seed), answers)
        contents(folder)
    assert len(tables()) <= 3
    expected = truth(folder)
    files_read.clear()
    assert contents(folder) == expected
    assert files_read == []


def test_two_processes_keep_what_both_read(folder: Path, tmp_path: Path) -> None:
    contents(folder)
    (path,) = tables()
    table = RecordTable(path)
    rows = [table.row(number) for number in range(len(table))]
    first, second = index.Index(tmp_path / "other"), index.Index(tmp_path / "other")
    assert first.place("", "") is second.place("", "") is None  # both have looked at the index, which is empty
    first.add(rows[:3])
    second.add(rows[2:])
    third = index.Index(tmp_path / "other")
    assert all(third.place(row.record.cell.fingerprint, row.signature) for row in rows)


def test_what_changed_a_moment_ago_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 3_600 * 10**9)
    contents(folder)
    assert tables() == []


def test_without_a_cache_folder_all_is_read_as_ever(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_read: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    contents(folder)
    contents(folder)
    assert len(files_read) == 2 * SEEDS, "once each"


def test_a_full_disk_costs_time_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, rows: Iterator[object]) -> None:
        next(iter(rows))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(index, "write_table", full)
    assert contents(folder) == truth(folder)
    assert not list(cache_folder("records").rglob("*.parquet"))


def test_records_from_the_index_share_what_is_equal(folder: Path) -> None:
    contents(folder)
    records = Store(folder).records(with_answers=True)[0]
    assert len({id(run.cell.targets) for run in records}) == 1
    assert len({id(run.groups) for run in records}) == 1
    assert np.unique([run.cell.seed for run in records]).tolist() == list(range(SEEDS + 1))
