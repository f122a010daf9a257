"""What was submitted, and what the queue says of it; Slurm's own answers are those of tests/slurm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.records import cell, predictions, record
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.commands import QueuedJob
from xlt_bench.engines.slurm.submissions import Submissions
from xlt_bench.records.store import Store
from xlt_bench.runs.request import Request


def plans(folder: Path, *seeds: Sequence[int]) -> list[Plan]:
    return [Plan(Request(), tuple(cell(seed=seed) for seed in part), folder, folder) for part in seeds]


def fingerprints(*seeds: int) -> tuple[str, ...]:
    return tuple(cell(seed=seed).fingerprint for seed in seeds)


def test_cells_of_jobs_in_the_queue_are_known_by_the_name_and_place_of_the_job(tmp_path: Path) -> None:
    submissions = Submissions(tmp_path)
    assert submissions.all() == []
    assert submissions.jobs() == []
    submission = submissions.add(plans(tmp_path, (0, 1), (2,)))
    assert submissions.all() == [submission]
    assert submission.cells == (fingerprints(0, 1), fingerprints(2))
    running = QueuedJob("17_1", submission.name, 1, "RUNNING", "None", "n1")
    foreign = QueuedJob("18", "xlt-of-another-store", 0, "RUNNING", "None", "n1")
    assert submissions.jobs_of_cells([running, foreign]) == {fingerprints(2)[0]: running}


def test_a_plan_of_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    (plan,) = plans(tmp_path, (4, 5))
    submission = Submissions(tmp_path).add([plan])
    assert Plan.from_text(submission.plans[0].read_text()) == plan


def test_what_is_complete_is_forgotten_and_what_is_not_keeps_its_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, answers = Store(tmp_path), predictions()
    store.write(record(answers, seed=0), answers)
    store.write(record(error="out of memory", seed=1), None)
    submissions = Submissions(tmp_path)
    first, failed, missing = (submissions.add(plans(tmp_path, (seed,))) for seed in range(3))
    jobs = [QueuedJob("17", first.name, 0, "COMPLETING", "None", "n1")]
    monkeypatch.setattr(commands, "queue", lambda names: jobs)
    submissions.forget_complete(store)
    assert submissions.all() == [first, failed, missing], "its job has not left the queue"
    jobs.clear()
    submissions.forget_complete(store)
    assert submissions.all() == [failed, missing]


def test_a_job_is_quoted_by_its_own_error_before_other_lines(tmp_path: Path) -> None:
    submission = Submissions(tmp_path).add(plans(tmp_path, (0,), (1,)))
    submission.note_id("17")
    assert submission.complaint(1) == "it never began, as when it is cancelled while it waits"
    submission.logs.mkdir()
    (submission.logs / "17_1_0_log.err").write_text("error: the plan is of version 2\nsrun: error: task 0: Exited\n\n")
    (submission.logs / "17_0_0_log.err").write_text("a warning\nslurmstepd: killed\n")
    assert submission.complaint(1) == "error: the plan is of version 2"
    assert submission.complaint(0) == "slurmstepd: killed"
    (submission.logs / "17_0_0_log.err").write_text("")
    assert submission.complaint(0) == ""


def test_squeue_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "5_2|xlt-a|2|PENDING|Resources|\n5_0|xlt-a|0|RUNNING|None|node1\n9|xlt-b|N/A|RUNNING|a|b|node2\n"
    monkeypatch.setattr(commands, "_run", lambda command: lines.replace("a|b", "a"))
    assert commands.queue(["xlt-a", "xlt-b"]) == [
        QueuedJob("5_2", "xlt-a", 2, "PENDING", "Resources", ""),
        QueuedJob("5_0", "xlt-a", 0, "RUNNING", "None", "node1"),
        QueuedJob("9", "xlt-b", 0, "RUNNING", "a", "node2"),
    ]
    assert [job.waits for job in commands.queue(["xlt-a"])] == [True, False, False]


def test_what_a_program_complains_of_is_its_last_line() -> None:
    text = (
        "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid name\n\n"
    )
    assert commands.complaint(text) == "Batch job submission failed: Invalid name"
    assert commands.complaint("\n") == "it said nothing"
