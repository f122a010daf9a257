"""A store to be packed, and what it holds, as files and as Records."""

from __future__ import annotations

from pathlib import Path

from tests.support.records import predictions, record
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

SEEDS = 3


def write_store(folder: Path) -> Store:
    """Three Records with answers, of which one names no class and one lacks items, and a failed one."""
    store = Store(folder)
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
    """Its answers."""
    answers = store.predictions(run)
    return [getattr(answers, name).tolist() for name in ("language", "item_id", "gold", "predicted")]


def first(store: Store) -> Record:
    """Its first complete Record."""
    return next(run for run in Store(store.folder).records()[0] if run.complete)
