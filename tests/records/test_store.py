"""The store: a Record is whole or absent, whatever happens, and one that is broken costs nobody else anything."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import SUPPORT
from tests.support.commands import process_environment
from tests.support.records import predictions, record
from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

WRITER = str(SUPPORT / "store_writer.py")


def filled(folder: Path, seeds: int = 3) -> tuple[Store, list[Record]]:
    store, found = Store(folder), predictions()
    runs = [record(found, seed=seed) for seed in range(seeds)]
    for run in runs:
        store.write(run, found)
    return store, runs


def start_writer(folder: Path, times: int, size: int) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, WRITER, str(folder), str(times), str(size)],
        stdout=subprocess.PIPE,
        text=True,
        env=process_environment(),
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    store, runs = filled(tmp_path / "new" / "store")
    back, damaged = store.records()
    assert not damaged
    assert sorted(back, key=lambda r: r.cell.seed) == runs
    found, expected = store.predictions(back[0]), predictions()
    for name in ("language", "item_id", "gold", "predicted"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_others_may_read_a_record(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store, runs = filled(tmp_path / "store", 1)
    finally:
        os.umask(before)
    assert store.folder_of(runs[0].cell.fingerprint).stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("milliseconds", [3, 17, 40, 90])
def test_a_killed_writer_leaves_whole_records_or_none(tmp_path: Path, milliseconds: int) -> None:
    writer = start_writer(tmp_path, 10_000, 300)
    time.sleep(milliseconds / 1000)
    writer.kill()
    writer.wait()
    store = Store(tmp_path)
    back, damaged = store.records()
    assert not damaged
    for run in back:
        assert len(store.predictions(run)) == 898


def test_two_processes_write_the_same_record(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, 15, 20) for _ in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    back, damaged = Store(tmp_path).records()
    assert (len(back), damaged) == (3, [])
    assert len(list(tmp_path.iterdir())) == 3


def test_a_record_is_replaced(tmp_path: Path) -> None:
    store, runs = filled(tmp_path, 1)
    better = predictions(right=1.0)
    store.write(replace(runs[0], label="again", item_hash=better.item_hash()), better)
    (back,), _ = store.records()
    assert back.label == "again"
    assert store.predictions(back).correct.all()
    assert len(list(tmp_path.iterdir())) == 1


def edited(folder: Path, **changes: object) -> None:
    path = folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


BROKEN = {
    "cut off": lambda f: (f / "record.json").write_text((f / "record.json").read_text()[:200]),
    "empty": lambda f: (f / "record.json").write_text(""),
    "no text": lambda f: (f / "record.json").write_bytes(b"\xff\xfe\x00"),
    "another kind": lambda f: (f / "record.json").write_text("[1]"),
    "deeply nested": lambda f: (f / "record.json").write_text("[" * 100_000),
    "no record.json": lambda f: (f / "record.json").unlink(),
    "no predictions": lambda f: (f / "predictions.parquet").unlink(),
    "another label": lambda f: edited(f, label=3),
    "another status": lambda f: edited(f, status="done"),
    "impossible accuracy": lambda f: edited(f, accuracy={"kat_Geor": 41.0}),
    "groups of numbers": lambda f: edited(f, groups={"a": [1]}),
    "no version": lambda f: edited(f, schema_version="one"),
    "newer": lambda f: edited(f, schema_version=99),
    "moved": lambda f: f.rename(f.with_name("0" * 16)),
    "another cell": lambda f: edited(f, cell=record(seed=77).cell.as_json()),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_record_is_named_and_the_others_are_read(tmp_path: Path, how: str) -> None:
    store, runs = filled(tmp_path)
    BROKEN[how](store.folder_of(runs[1].cell.fingerprint))
    back, damaged = store.records()
    assert {run.cell.seed for run in back} == {0, 2}
    assert len(damaged) == 1
    assert damaged[0].reason
    assert "\n" not in damaged[0].reason


def test_a_file_in_place_of_a_record_is_named_and_replaced(tmp_path: Path) -> None:
    store, found = Store(tmp_path), predictions()
    run = record(found)
    store.folder_of(run.cell.fingerprint).write_text("not a folder")
    (tmp_path / "README.md").write_text("notes of mine")
    back, damaged = store.records()
    assert not back
    assert [d.folder.name for d in damaged] == [run.cell.fingerprint]
    assert isinstance(store.find(run.cell.fingerprint), Damaged)
    store.write(run, found)
    assert store.find(run.cell.fingerprint) == run


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


PREDICTIONS = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "empty": lambda path: path.write_bytes(b""),
    "a byte changed": _changed,
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", PREDICTIONS)
def test_a_record_whose_predictions_are_damaged_is_missing_again(tmp_path: Path, how: str) -> None:
    store, runs = filled(tmp_path, 2)
    PREDICTIONS[how](store.folder_of(runs[1].cell.fingerprint) / "predictions.parquet")
    damaged = store.find(runs[1].cell.fingerprint)
    assert isinstance(damaged, Damaged)
    assert "predictions.parquet" in damaged.reason
    assert store.find(runs[0].cell.fingerprint) == runs[0]


def test_a_record_of_a_newer_release_is_never_replaced(tmp_path: Path) -> None:
    store, runs = filled(tmp_path, 1)
    BROKEN["newer"](store.folder_of(runs[0].cell.fingerprint))
    with pytest.raises(StoreError, match=r"schema 99 is newer.*upgrade xlt-bench, or give another store"):
        store.find(runs[0].cell.fingerprint)


@pytest.mark.parametrize("keep", [0, 100, -20])
def test_broken_predictions_are_an_error_that_names_the_file(tmp_path: Path, keep: int) -> None:
    store, runs = filled(tmp_path, 1)
    path = store.folder_of(runs[0].cell.fingerprint) / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match=r"predictions\.parquet cannot be read .*--rerun all"):
        store.predictions(runs[0])


def test_a_flipped_bit_in_predictions_is_noticed(tmp_path: Path) -> None:
    store, runs = filled(tmp_path, 1)
    path = store.folder_of(runs[0].cell.fingerprint) / "predictions.parquet"
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[whole.index(b"kat_Geor")] ^= 1  # within a data page
    path.write_bytes(bytes(broken))
    with pytest.raises(StoreError, match=r"predictions\.parquet"):
        store.predictions(runs[0])


def test_predictions_of_other_items_are_noticed(tmp_path: Path) -> None:
    store, runs = filled(tmp_path, 1)
    other = predictions(items=9)
    store.write(runs[0], other)
    with pytest.raises(StoreError, match="does not hold the items"):
        store.predictions(runs[0])


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, runs = filled(tmp_path, 1)

    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic, "_sync", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device; free space or give another"):
        store.write(record(predictions(), seed=1), predictions())
    assert [path.name for path in tmp_path.iterdir()] == [runs[0].cell.fingerprint]


def test_a_store_that_is_a_file_or_lies_in_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match=r"cannot be written: .*--store DIR"):
            Store(folder).check_writable()
        with pytest.raises(StoreError, match=r"cannot be read: .*--store DIR"):
            Store(folder).records()


def test_a_store_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))  # a test may run as root, whom no mode stops

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(StoreError, match="cannot be written: Read-only file system; give another: --store DIR"):
        Store(tmp_path).check_writable()


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").records() == ([], [])


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".tmp-old", tmp_path / ".tmp-fresh"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))
    Store(tmp_path).check_writable()
    assert [path.name for path in tmp_path.iterdir()] == [".tmp-fresh"]
