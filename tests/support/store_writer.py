"""Writes the same few Records over and over into the store given, until it is killed or has done so often enough."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.records import predictions, record
from xlt_bench.records.store import Store


def write_weights(folder: Path) -> None:
    """As a method would save them."""
    (folder / "w.json").write_text("1")


if __name__ == "__main__":
    store, times, size = Store(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    answers = predictions(items=size)
    runs = [record(answers, seed=seed) for seed in range(3)]
    store.write(runs[0], answers)
    print("ready", flush=True)
    for _ in range(times):
        for run in runs:
            store.write(run, answers, write_weights)
