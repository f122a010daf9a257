"""Packing a store: the same Records in one file, read alike, and put back byte by byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from tests.support.packed_stores import SEEDS, contents, files, first, write_store
from tests.support.records import predictions, record
from tests.support.toy import LABELS
from xlt_bench.records import table_writing
from xlt_bench.records.packing import pack, unpack
from xlt_bench.records.record import Predictions
from xlt_bench.records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_store(tmp_path / "store")


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
