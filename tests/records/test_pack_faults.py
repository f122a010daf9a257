"""Packing that is broken off loses nothing; a pack that is damaged, or of another version, is named."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from tests.support.packed_stores import SEEDS, contents, files, first, write_store
from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.records import pack as pack_file
from xlt_bench.records import packing
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.packing import pack, unpack
from xlt_bench.records.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write_store(tmp_path / "store")


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
