"""How far jobs are, from the queue, from what Slurm still knows and from what the jobs said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import cell, predictions, record
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.commands import JobEnd, QueuedJob
from xlt_bench.engines.slurm.overview import JobRow, overview
from xlt_bench.engines.slurm.submissions import Submission, Submissions
from xlt_bench.records.store import Store
from xlt_bench.runs.request import Request

FINGERPRINTS = [cell(seed=seed).fingerprint for seed in range(6)]


def submitted(folder: Path, array: str, *seeds: tuple[int, ...]) -> Submission:
    plans = [Plan(Request(), tuple(cell(seed=seed) for seed in part), folder, folder) for part in seeds]
    submission = Submissions(folder).add(plans)
    submission.note_id(array)
    return submission


def test_each_cell_is_counted_with_its_last_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    assert overview(store, FINGERPRINTS).rows == ()
    answers = predictions()
    store.write(record(answers, seed=0), answers)
    old = submitted(tmp_path, "17", (0, 1), (2,), (3, 4))
    old.logs.mkdir()
    (old.logs / "17_0_0_log.err").write_text("error: no file 'mine.py'\n")
    new = submitted(tmp_path, "18", (3, 4), (5,))
    queue = [
        QueuedJob("18_0", new.name, 0, "RUNNING", "None", "n1"),
        QueuedJob("18_1", new.name, 1, "PENDING", "Priority", ""),
    ]
    monkeypatch.setattr(commands, "queue", lambda names: queue)
    monkeypatch.setattr(commands, "ends", lambda array: {0: JobEnd("FAILED", 2)} if array == "17" else {})
    jobs = overview(store, FINGERPRINTS)
    assert set(jobs.rows) == {
        JobRow("18_0", "running", 2, "n1"),
        JobRow("18_1", "pending", 1, "Priority"),
        JobRow("17_0", "ended failed", 1, "error: no file 'mine.py'"),
        JobRow("17_1", "ended", 1, "it never began, as when it is cancelled while it waits"),
    }
    assert jobs.cells == {FINGERPRINTS[3]: queue[0], FINGERPRINTS[4]: queue[0], FINGERPRINTS[5]: queue[1]}
