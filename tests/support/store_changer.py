"""Changes the Records of the store given without end: new answers, packing and undoing it. Says `ready` first."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from tests.support.records import predictions, record
from xlt_bench.records.packing import pack, unpack
from xlt_bench.records.store import Store

SEEDS = 4


def write(store: Store, seed: int, version: int) -> None:
    """A Record whose accuracy is that of its answers, and whose label says the version."""
    answers = predictions(items=40, seed=100 * version + seed)
    store.write(record(answers, seed=seed, label=f"version {version}"), answers)


if __name__ == "__main__":
    changed_store = Store(Path(sys.argv[1]))
    for first_seed in range(SEEDS):
        write(changed_store, first_seed, 0)
    print("ready", flush=True)
    for number in count(1):
        write(changed_store, number % SEEDS, number)
        if number % 5 == 0:
            pack(changed_store)
        if number % 10 == 0:
            unpack(changed_store)
