"""What a store costs as it grows: disk, and time and memory of the commands that read all of it.

    python -m benchmarks.big_store FOLDER --data-dir SIB200/data     # once
    python -m benchmarks.scale FOLDER [--cells 1 10 100 1000 10000] [--json FILE]

For each size: a store of so many of the Records, in folders and packed. Each command is a process of its own, with an
empty cache folder (cold) and again (warm). Says seconds, wall and processor, and the largest resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from xlt_bench.records.packing import pack
from xlt_bench.records.store import Store

Figures = dict[str, float]


def measured(arguments: Sequence[str], environment: Mapping[str, str]) -> Figures:
    """Run a command of xlt-bench; its seconds and megabytes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "xlt_bench", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed with exit code {process.returncode}")
    return {
        "wall_seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "megabytes": round(usage.ru_maxrss / 1024, 0),
    }


def of_size(full: Path, count: int, status: Sequence[str]) -> dict[str, object]:
    """The figures of the first so many Records.

    Args:
        status: the rest of `study status` with its options but for the store; none: it is left out.
    """
    with tempfile.TemporaryDirectory(dir=full.parent) as scratch:
        store = Path(scratch) / "store"
        store.mkdir()
        for folder in Store(full).folders()[:count]:
            shutil.copytree(folder, store / folder.name)
        environment = {**os.environ, "XDG_CACHE_HOME": f"{scratch}/cache"}
        board = ["leaderboard", "--task", "sib200", "--store", str(store)]
        time.sleep(2.5)  # what changed a moment ago is not indexed
        figures: dict[str, object] = {
            "cells": count,
            "store_megabytes": _megabytes(store),
            "board_cold": measured(board, environment),
            "board_warm": measured(board, environment),
            "index_megabytes": _megabytes(Path(scratch) / "cache"),
        }
        if status:
            looking = ["study", "status", *status, "--store", str(store)]
            figures |= {"status_cold": measured(looking, environment), "status_warm": measured(looking, environment)}
        pack(Store(store))
        figures["packed_megabytes"] = _megabytes(store)
        figures["board_packed"] = measured(board, environment)
        return figures


def _megabytes(folder: Path) -> float:
    """What a folder takes of the disk."""
    return round(sum(path.stat().st_blocks * 512 for path in folder.rglob("*")) / 2**20, 2)


def main() -> None:
    """Measure, and say it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, nargs="+", default=[1, 10, 100, 1_000, 10_000])
    parser.add_argument("--data-dir", type=Path, help="of SIB-200; with it, study status is measured too")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    study = str(options.folder / "study.toml")
    status = [study, "--task", "sib200", "--backbone", "nano", "--data-dir", str(options.data_dir)]
    sizes = []
    for count in options.cells:
        sizes.append(of_size(options.folder / "store", count, status if options.data_dir else []))
        print(json.dumps(sizes[-1]), flush=True)
    report = {"machine": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg(), "sizes": sizes}
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
