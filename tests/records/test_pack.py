"""Packing a store: the same Records in one file, read alike, put back byte by byte, and nothing lost on the way."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from tests.support.records import predictions, record
from tests.support.toy import LABELS
from xlt_bench.cli.main import main
from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.records import pack as pack_file
from xlt_bench.records import packing, record_table, table_writing
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.pack import Pack
from xlt_bench.records.packing import pack, unpack
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store

SEEDS = 3


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three Records with answers, of which one names no class and one lacks items, and a failed one."""
    store = Store(tmp_path / "store")
    for seed in range(SEEDS):
        answers = predictions(seed=seed)
        answers.predicted[:2] = ["", "no class"] if seed == 0 else answers.predicted[:2]
        answers = answers.clustered({f"i{number}": f"c{number // 2}" for number in range(10)} if seed == 1 else {})
        store.write(record(answers, seed=seed), answers)
    store.write(record(seed=SEEDS, error="out of memory"), None)
    return store


def files(store: Store) -> dict[str, bytes]:
    """Name -> content of all files of Records."""
    paths = (path for path in store.folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {str(path.relative_to(store.folder)): path.read_bytes() for path in paths}


def contents(store: Store) -> dict[str, tuple[Record, list[object]]]:
    """What a new process reads."""
    store = Store(store.folder)
    records, damaged = store.records()
    assert not damaged
    return {run.cell.fingerprint: (run, columns(store, run) if run.complete else []) for run in records}


def columns(store: Store, run: Record) -> list[object]:
    answers = store.predictions(run)
    return [getattr(answers, name).tolist() for name in ("language", "item_id", "gold", "predicted")]


def first(store: Store) -> Record:
    return next(run for run in Store(store.folder).records()[0] if run.complete)


def test_packed_records_are_read_alike_and_come_back_byte_by_byte(store: Store) -> None:
    before, read = files(store), contents(store)
    outcome = pack(store)
    assert (outcome.moved, outcome.skipped) == (SEEDS + 1, {})
    assert list(files(store)) == ["records.parquet"]
    assert contents(store) == read
    for fingerprint, (run, _) in read.items():
        again = Store(store.folder)
        assert again.find(fingerprint) == again.find_all([fingerprint])[fingerprint] == run
        assert again.names() == sorted(read)
        if run.complete:
            assert again.predictions(run).item_hash() == run.item_hash
    assert unpack(store).moved == SEEDS + 1
    assert files(store) == before


def test_languages_with_items_of_their_own_come_back_in_the_order_of_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    languages = ["kat_Geor"] * 3 + ["eng_Latn"] * 4 + ["kat_Geor"]  # b and d stand between items of the first language
    items = ["a", "c", "e", "a", "b", "c", "d", "f"]
    gold = np.array([*LABELS[:2]] * 4, object)
    answers = Predictions(np.array(languages, object), np.array(items, object), gold, gold[::-1].copy())
    store.write(record(answers), answers)
    before, read = files(store), contents(store)
    outcome = pack(store)
    assert (outcome.moved, outcome.skipped) == (1, {})
    assert contents(store) == read
    assert unpack(store).moved == 1
    assert files(store) == before


def test_packing_twice_changes_nothing_and_takes_what_is_new(store: Store) -> None:
    pack(store)
    before = files(store)
    assert pack(store).moved == 0
    assert files(store) == before
    answers = predictions(seed=9)
    store.write(record(answers, seed=9), answers)
    read = contents(store)
    assert pack(store).moved == 1
    assert contents(store) == read
    assert unpack(store).moved == SEEDS + 2
    assert unpack(store).moved == 0


def test_each_group_of_rows_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writing, "_ROWS_AT_ONCE", 2)
    pack(store)
    for seed in range(20, 26):
        answers = predictions(seed=seed)
        store.write(record(answers, seed=seed), answers)
    pack(store)  # rows of the old pack and new ones, by turns
    groups = []
    read = parquet.ParquetFile.read_row_group

    def counted(self: parquet.ParquetFile, group: int, **options: object) -> object:
        groups.append(group)
        return read(self, group, **options)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counted)
    again = Store(store.folder)
    for run in again.records()[0]:
        assert not run.complete or again.sheet(run).predicted.size
    assert groups == sorted(set(groups))
    assert len(groups) > 2


def test_sheets_of_packed_records_are_those_of_their_folders(store: Store) -> None:
    sheets = {run.cell.fingerprint: store.sheet(run) for run in store.records()[0] if run.complete}
    pack(store)
    packed = Store(store.folder)
    for run in packed.records(with_answers=True)[0]:
        if run.complete:
            sheet, expected = packed.sheet(run), sheets[run.cell.fingerprint]
            assert (sheet.labels, sheet.clusters, sheet.layout.key) == (
                expected.labels,
                expected.clusters,
                expected.layout.key,
            )
            assert np.array_equal(sheet.predicted, expected.predicted)


def test_a_packed_record_is_changed_by_a_folder_of_its_own(store: Store) -> None:
    pack(store)
    run = first(store)
    better = replace(run, macro_f1={"kat_Geor": 0.25})
    store.update(better)
    assert contents(store)[run.cell.fingerprint][0] == better
    assert Store(store.folder).find(run.cell.fingerprint) == better
    assert pack(store).moved == 1
    assert contents(store)[run.cell.fingerprint][0] == better
    assert list(files(store)) == ["records.parquet"]


def test_forget_takes_records_out_of_the_pack(store: Store) -> None:
    pack(store)
    run = first(store)
    store.update(run)  # in a folder and in the pack
    read = contents(store)
    store.forget([run.cell.fingerprint])
    del read[run.cell.fingerprint]
    assert contents(store) == read
    store.forget(list(read))
    assert contents(store) == {}
    assert files(store) == {}


def test_what_could_not_be_put_back_stays(store: Store) -> None:
    runs = [run for run in store.records()[0] if run.complete]
    answers = predictions(seed=0)
    store.write(runs[0], store.predictions(runs[0]), lambda weights: (weights / "w.json").write_text("1") and None)
    edited = store.folder_of(runs[1].cell.fingerprint) / "record.json"
    edited.write_text(edited.read_text().replace("\n ", "\n  "))
    order = np.argsort(answers.item_id, kind="stable")  # item by item, not language by language
    shuffled = replace(
        answers, **{name: getattr(answers, name)[order] for name in ("language", "item_id", "gold", "predicted")}
    )
    store.write(replace(runs[2], item_hash=shuffled.item_hash(), accuracy=shuffled.accuracy()), shuffled)
    broken = store.folder / ("0" * 16)
    broken.mkdir()
    before = files(store)
    outcome = pack(store)
    assert outcome.moved == 2
    assert {folder.name: why for folder, why in outcome.skipped.items()} == {
        runs[0].cell.fingerprint: "it has weights too",
        runs[1].cell.fingerprint: "record.json is not written as this version of xlt-bench writes it",
        broken.name: "it has no record.json",
    }
    unpack(store)
    assert files(store) == before


def test_what_a_process_works_on_stays(store: Store) -> None:
    run = first(store)
    with store.claims.hold([run.cell.fingerprint]):
        assert list(pack(store).skipped.values()) == ["another process works on it"]
    assert store.folder_of(run.cell.fingerprint).exists()
    assert len(contents(store)) == SEEDS + 1


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


PLACES: dict[str, tuple[object, str]] = {
    "writing": (pack_file, "write_table"),
    "checking": (packing, "_check"),
    "syncing": (atomic, "sync_file"),
    "removing": (packing, "_remove"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", [stop, full], ids=["Ctrl-C", "disk full"])
def test_packing_that_is_broken_off_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, place: str, fault: Callable[..., None]
) -> None:
    read, before = contents(store), files(store)
    module, name = PLACES[place]
    with monkeypatch.context() as patch:
        patch.setattr(module, name, fault)
        with pytest.raises((KeyboardInterrupt, StoreError)) as raised:
            pack(store)
    if raised.type is StoreError:
        assert "No space left on device; nothing is lost" in str(raised.value)
    assert contents(store) == read
    assert place == "removing" or files(store) == before
    assert not list(store.folder.glob(".tmp*"))
    assert pack(store).moved == SEEDS + 1
    assert contents(store) == read
    assert list(files(store)) == ["records.parquet"]


@pytest.mark.parametrize("fault", [stop, full], ids=["Ctrl-C", "disk full"])
def test_undoing_that_is_broken_off_loses_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    read, before = contents(store), files(store)
    pack(store)
    written = []

    def write_two(target: Store, row: object) -> None:
        if len(written) == 2:
            fault()
        written.append(row)
        packing_write(target, row)  # type: ignore[arg-type]

    packing_write = packing.write_row
    with monkeypatch.context() as patch:
        patch.setattr(packing, "write_row", write_two)
        with pytest.raises((KeyboardInterrupt, StoreError)):
            unpack(store)
    assert contents(store) == read
    assert unpack(store).moved == SEEDS + 1
    assert files(store) == before


def test_a_damaged_pack_is_named_and_nothing_is_run_again(store: Store) -> None:
    run = first(store)
    pack(store)
    path = store.folder / "records.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    for read in (Store(store.folder).records, lambda: Store(store.folder).find(run.cell.fingerprint)):
        with pytest.raises(StoreError, match=r"records\.parquet cannot be read .*restore it from a copy, or remove it"):
            read()


def test_a_pack_that_another_process_undoes_while_it_is_opened_is_no_damage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, open_table = contents(store), pack_file.RecordTable
    pack(store)

    def open_too_late(path: Path) -> record_table.RecordTable:
        monkeypatch.setattr(pack_file, "RecordTable", open_table)
        unpack(Store(store.folder))
        return open_table(path)

    monkeypatch.setattr(pack_file, "RecordTable", open_too_late)
    assert contents(store) == expected
    assert pack_file.RecordTable is open_table
    assert not store.pack.path.exists()


def test_a_pack_outlives_a_new_field_and_is_not_read_by_an_older_program(store: Store) -> None:
    read, before = contents(store), files(store)
    pack(store)
    path = store.folder / "records.parquet"
    table = parquet.ParquetFile(path).read()
    plain = [json.loads(content) for name, content in before.items() if name.endswith("record.json")]
    assert {(record["cell"]["shots"], record["runs"]) for record in plain} == {(None, None)}
    parquet.write_table(table.drop_columns(["cell.shots", "runs"]), path)  # as if these fields were new
    assert contents(store) == read
    parquet.write_table(table.append_column("colour", table.column("label")), path)
    with pytest.raises(StoreError, match="column colour is of a newer version of xlt-bench; upgrade it"):
        contents(store)


@pytest.mark.parametrize("content", ["", '{"schema_version": 9999}'], ids=["empty", "newer schema"])
def test_a_packed_record_does_not_answer_for_a_folder_that_cannot_be_read(store: Store, content: str) -> None:
    pack(store)
    run = first(store)
    folder = store.folder_of(run.cell.fingerprint)
    folder.mkdir()
    (folder / "record.json").write_text(content)
    again = Store(store.folder)
    records, damaged = again.records()
    assert (run in records, [entry.folder for entry in damaged]) == (False, [folder])
    for find in (again.find, lambda name: again.find_all([name])[name]):
        if content:
            with pytest.raises(StoreError, match="schema 9999 is newer"):
                find(run.cell.fingerprint)
        else:
            assert isinstance(find(run.cell.fingerprint), Damaged)
    outcome = unpack(store)
    assert (outcome.moved, list(outcome.skipped)) == (SEEDS, [folder])
    assert (folder / "record.json").read_text() == content
    shutil.rmtree(folder)
    assert Store(store.folder).find(run.cell.fingerprint) == run, "it is still packed"
    assert unpack(store).moved == 1
    assert len(contents(store)) == SEEDS + 1


def test_what_is_forgotten_does_not_come_back_by_packing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run, read = first(store), contents(store)
    packer = threading.Thread(target=lambda: pack(Store(store.folder)))
    remove = Pack.remove

    def remove_while_another_packs(pack_of_store: Pack, fingerprints: set[str]) -> None:
        remove(pack_of_store, fingerprints)
        packer.start()
        packer.join(timeout=0.5)

    monkeypatch.setattr(Pack, "remove", remove_while_another_packs)
    store.forget([run.cell.fingerprint])
    packer.join()
    del read[run.cell.fingerprint]
    assert contents(store) == read


def test_two_packs_where_locks_do_not_reach_lose_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pack, "locked", lambda _: nullcontext())
    check = packing._check
    answers = predictions(seed=9)

    def check_while_another_packs(*arguments: object) -> None:
        check(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(packing, "_check", check)
        other = Store(store.folder)
        other.write(record(answers, seed=9), answers)
        assert pack(other).moved == SEEDS + 2

    read = contents(store)
    monkeypatch.setattr(packing, "_check", check_while_another_packs)
    with pytest.raises(StoreError, match="was replaced by another process meanwhile; nothing is lost: do it again"):
        pack(store)
    assert len(contents(store)) == SEEDS + 2
    assert read.items() <= contents(store).items()


def test_a_process_that_the_lock_does_not_reach_is_refused_while_another_packs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlt_bench.records.pack.FileLock", lambda _: nullcontext())
    read = contents(store)
    with store.pack.locked(), pytest.raises(StoreError, match=r"process .* is replacing .*records\.parquet"):
        pack(Store(store.folder))
    with store.pack.locked(), pytest.raises(StoreError, match="is replacing"):
        Store(store.folder).forget([next(iter(read))])
    assert contents(store) == read
    assert pack(Store(store.folder)).moved > 0


def test_a_folder_stays_that_the_pack_on_disk_lacks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read, replace_pack = contents(store), Pack.replace

    def replaced_again(pack_of_store: Pack, rows: object, check: object = None) -> None:
        replace_pack(pack_of_store, rows, check)  # type: ignore[arg-type]
        pack_of_store.path.unlink()

    with monkeypatch.context() as patch:
        patch.setattr(Pack, "replace", replaced_again)
        outcome = pack(store)
    assert (outcome.moved, set(outcome.skipped.values())) == (0, {"another process replaced the pack"})
    assert contents(store) == read


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.write(first(store), store.predictions(first(store)), lambda weights: (weights / "w").write_text("") and None)
    folder = str(store.folder)
    assert main(["pack", folder]) == 0
    said = capsys.readouterr()
    assert said.out == f"{SEEDS} Records packed, {SEEDS} now in {folder}/records.parquet\n"
    assert said.err.startswith("1 left in folders, such as ")
    assert said.err.endswith(": it has weights too\n")
    assert main(["pack", folder, "--undo"]) == 0
    assert capsys.readouterr().out == f"{SEEDS} Records of {folder} have folders again\n"
    assert main(["pack", folder, "--undo"]) == 0
    assert capsys.readouterr().out == f"nothing is packed in {folder}\n"
    other = store.folder.parent / "other"
    (other / "notes").mkdir(parents=True)
    for name in (f"{folder}/none", str(other)):  # a folder of folders is no store either, and stays as it is
        assert main(["pack", name]) == 2
        assert capsys.readouterr().err == f"error: {name} is no store: it holds no Records; make some: xlt-bench run\n"
    assert [path.name for path in other.iterdir()] == ["notes"]


def test_a_store_that_cannot_be_written_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))  # a test may run as root, whom no mode stops

    before = files(store)
    monkeypatch.setattr(Path, "mkdir", refused)
    assert main(["pack", str(store.folder)]) == 2
    assert "records.parquet cannot be written: Read-only file system" in capsys.readouterr().err
    assert files(store) == before
