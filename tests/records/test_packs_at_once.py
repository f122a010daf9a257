"""Several processes that pack, undo and forget in one store at once lose nothing, also where locks do not reach."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.packed_stores import SEEDS, contents, first, write_store
from tests.support.records import predictions, record
from xlt_bench.errors import StoreError
from xlt_bench.records import pack as pack_file
from xlt_bench.records import packing, record_table
from xlt_bench.records.pack import Pack
from xlt_bench.records.packing import pack, unpack
from xlt_bench.records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_store(tmp_path / "store")


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
