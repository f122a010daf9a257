"""A board of a store that another process changes all the time: each Record is there, and is of one moment."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support import SUPPORT
from tests.support.commands import process_environment
from tests.support.store_changer import SEEDS
from xlt_bench.io import signatures
from xlt_bench.records import folder_reader
from xlt_bench.records.store import Store

SECONDS = 1.0


@pytest.mark.parametrize("indexed", [False, True])
def test_no_record_is_missing_and_none_is_half_of_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    if indexed:
        monkeypatch.setattr(folder_reader, "FEWEST_INDEXED", 1)
        monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 0)
    writer = subprocess.Popen(
        [sys.executable, str(SUPPORT / "store_changer.py"), str(tmp_path / "store")],
        stdout=subprocess.PIPE,
        text=True,
        env=process_environment(),
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        versions, boards, until = set[str](), 0, time.monotonic() + SECONDS
        while time.monotonic() < until or len(versions) < 2 * SEEDS or boards < 10:
            store = Store(tmp_path / "store")
            records, damaged = store.records(with_answers=True)
            assert damaged == []
            assert sorted(run.cell.seed for run in records) == list(range(SEEDS))
            for run in records:
                sheet = store.sheet(run)
                scores = np.nanmean(np.where(sheet.gold < 0, np.nan, sheet.predicted == sheet.gold), axis=1)
                assert dict(zip(sheet.codes, scores.tolist(), strict=True)) == pytest.approx(run.accuracy)
                versions.add(f"{run.cell.seed} {run.label}")
            boards += 1
            assert writer.poll() is None, "it is still writing"
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close() if writer.stdout else None
