"""Merging stores: what one lacks is copied, and contradictions are named before anything is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.records import predictions, record
from xlt_bench.cli.main import main
from xlt_bench.records.packing import pack
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

Said = pytest.CaptureFixture[str]


def write(store: Store, seed: int, answers_seed: int | None = None, **changes: object) -> Record:
    """A complete Record, by default with the answers that its seed gives anywhere."""
    answers = predictions(seed=seed if answers_seed is None else answers_seed)
    run = record(answers, seed=seed, **changes)
    store.write(run, answers)
    return run


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Store, Store]:
    """Seeds 0 and 1, and seeds 1 and 2; what both have was timed differently."""
    source, target = Store(tmp_path / "source"), Store(tmp_path / "target")
    write(source, 0)
    write(source, 1, timing={"fit_seconds": 1.0})
    write(target, 1, timing={"fit_seconds": 2.0})
    write(target, 2)
    return source, target


def merge(source: Store, target: Store) -> int:
    return main(["merge", str(source.folder), str(target.folder)])


def seeds(store: Store) -> list[int]:
    records, damaged = Store(store.folder).records()
    assert not damaged
    return sorted(run.cell.seed for run in records)


@pytest.mark.parametrize("packed", ["none", "source", "target", "both"])
def test_what_is_missing_is_copied(stores: tuple[Store, Store], capsys: Said, packed: str) -> None:
    source, target = stores
    for name, store in (("source", source), ("target", target)):
        if packed in (name, "both"):
            pack(store)
    kept = {run.cell.fingerprint: run for run in target.records()[0]}
    assert merge(source, target) == 0
    assert capsys.readouterr().out == f"1 Records copied into {target.folder}; 1 were there\n"
    assert (seeds(source), seeds(target)) == ([0, 1], [0, 1, 2])
    merged = Store(target.folder)
    assert all(merged.find(fingerprint) == run for fingerprint, run in kept.items()), "the target's own stay"
    copied = next(run for run in merged.records()[0] if run.cell.seed == 0)
    assert merged.predictions(copied).predicted.tolist() == predictions(seed=0).predicted.tolist()
    assert merge(source, target) == 0
    assert capsys.readouterr().out == f"0 Records copied into {target.folder}; 2 were there\n"


def test_other_answers_of_one_run_are_refused_by_name(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    run = write(source, 2, answers_seed=7)
    assert merge(source, target) == 2
    said = capsys.readouterr().err
    assert f"Record {run.cell.fingerprint} (xpe (n_tokens=20), seed 2): " in said or run.cell.fingerprint in said
    assert "of its answers are others" in said
    assert "nothing was copied" in said
    assert said.count("\n") == 1
    assert seeds(target) == [1, 2]


def test_other_items_of_one_run_are_refused(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    answers = predictions(items=9, seed=2)
    source.write(record(answers, seed=2), answers)
    assert merge(source, target) == 2
    assert "its items are others" in capsys.readouterr().err


def test_a_complete_run_takes_the_place_of_a_failed_one(stores: tuple[Store, Store]) -> None:
    source, target = stores
    target.write(record(seed=0, error="out of memory"), None)
    source.write(record(seed=2, error="out of memory"), None)
    assert merge(source, target) == 0
    assert all(run.complete for run in Store(target.folder).records()[0])


def test_weights_and_names_of_rows_are_copied(stores: tuple[Store, Store]) -> None:
    source, target = stores
    run = next(run for run in source.records()[0] if run.cell.seed == 0)
    source.write(run, source.predictions(run), lambda weights: (weights / "w.json").write_text("1") and None)
    source.labels.write(run.cell.configuration, "Ours")
    assert merge(source, target) == 0
    assert (target.folder_of(run.cell.fingerprint) / "weights" / "w.json").read_text() == "1"
    assert {stored.row_label for stored in Store(target.folder).records()[0]} == {"Ours"}


def test_other_names_of_one_row_are_refused(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    configuration = source.records()[0][0].cell.configuration
    source.labels.write(configuration, "Ours")
    target.labels.write(configuration, "Theirs")
    assert merge(source, target) == 2
    assert f"row {configuration[:8]} is called 'Ours' in one and 'Theirs' in the other" in capsys.readouterr().err


def test_a_damaged_record_is_said_and_the_others_are_copied(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    run = write(source, 5)
    (source.folder_of(run.cell.fingerprint) / "record.json").write_text("{")
    assert merge(source, target) == 0
    assert f"not copied: {source.folder_of(run.cell.fingerprint)}: record.json is no Record" in capsys.readouterr().err
    assert seeds(target) == [0, 1, 2]


def test_a_store_that_is_none_and_one_store_twice(stores: tuple[Store, Store], tmp_path: Path, capsys: Said) -> None:
    source, _ = stores
    assert merge(Store(tmp_path / "none"), source) == 2
    assert "none is no store: it holds no Records" in capsys.readouterr().err
    assert merge(source, Store(source.folder / ".." / "source")) == 2
    assert "FROM and INTO are one store" in capsys.readouterr().err
    assert merge(source, Store(tmp_path / "new")) == 0
    assert seeds(Store(tmp_path / "new")) == [0, 1]


def test_a_record_with_answers_and_one_without(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    run = next(run for run in source.records()[0] if run.cell.seed == 1)
    source.write(replace(run, evidence="per_language", item_hash=None), None)
    assert merge(source, target) == 2
    assert "only one of them has answers to single items" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["source", "target"])
def test_broken_answers_are_said_and_the_others_are_copied(
    stores: tuple[Store, Store], capsys: Said, broken: str
) -> None:
    source, target = stores
    run = next(run for run in source.records()[0] if run.cell.seed == (0 if broken == "source" else 1))
    path = (source if broken == "source" else target).folder_of(run.cell.fingerprint) / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    content, stored_before = path.read_bytes(), len(target.folders())
    write(source, 5)
    assert merge(source, target) == 0
    message = capsys.readouterr()
    assert f"not copied: {path.parent}: {path}" in message.err
    assert message.err.count("\n") == 1
    assert message.out.startswith("1 Records copied" if broken == "source" else "2 Records copied")
    assert path.read_bytes() == content, "it is not replaced"
    assert len(target.folders()) == stored_before + (1 if broken == "source" else 2)


def test_a_newer_record_of_the_target_is_not_replaced(stores: tuple[Store, Store], capsys: Said) -> None:
    source, target = stores
    run = next(run for run in source.records()[0] if run.cell.seed == 0)
    folder = target.folder_of(run.cell.fingerprint)
    folder.mkdir()
    (folder / "record.json").write_text('{"schema_version": 9999}')
    assert merge(source, target) == 0
    assert f"not copied: {folder}: schema 9999 is newer" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["record.json"]


@pytest.mark.parametrize("event", ["replaced", "removed"])
def test_a_record_that_is_changed_while_it_is_copied_is_not_copied_in_halves(
    stores: tuple[Store, Store], capsys: Said, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    source, target = stores
    run = next(run for run in source.records()[0] if run.cell.seed == 0)
    copy = shutil.copy2

    def copy_after_change(path: str, destination: str) -> str:
        monkeypatch.setattr(shutil, "copy2", copy)
        if event == "replaced":
            Store(source.folder).write(run, source.predictions(run))
        else:
            shutil.rmtree(source.folder_of(run.cell.fingerprint))
        return str(copy(path, destination))

    copytree = shutil.copytree
    monkeypatch.setattr(
        shutil, "copytree", lambda folder, draft: copytree(folder, draft, copy_function=copy_after_change)
    )
    assert merge(source, target) == 2
    message = capsys.readouterr().err
    assert "was changed by another process while it was copied; what was copied is whole: merge again" in message
    assert seeds(target) == [1, 2]
