"""The command for a GPU: what it runs, and what it says of jobs that fail or take too long."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scripts import on_gpu
from scripts.on_gpu import Measurement, Measurements, main, run


def test_every_size_of_backbone_is_measured_with_ten_seeds(tmp_path: Path) -> None:
    jobs = Measurements(tmp_path, tmp_path, quick=False).jobs("peers")
    assert [job.command[job.command.index("--backbone") + 1] for job in jobs] == [
        "nano",
        "e5-small-q4",
        "base",
        "large",
    ]
    assert all(job.command[job.command.index("--seeds") + 1] == "10" for job in jobs)


def test_a_job_that_fails_or_takes_too_long_is_noted(tmp_path: Path) -> None:
    failed = run(
        Measurement("fails", [sys.executable, "-c", "import sys; print('why'); sys.exit(3)"]), tmp_path, hours=1
    )
    assert failed["outcome"] == 3
    assert (tmp_path / "fails.log").read_text() == "why\n"
    slow = run(
        Measurement("slow", [sys.executable, "-c", "import time; time.sleep(60)"], share=1e-5), tmp_path, hours=1
    )
    assert slow["outcome"] == "stopped after 1e-05 hours"


def test_what_was_done_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    codes = {"good": 0, "bad": 1}

    def jobs(self: Measurements, part: str) -> list[Measurement]:
        return [
            Measurement(name, [sys.executable, "-c", f"import sys; sys.exit({code})"]) for name, code in codes.items()
        ]

    def noted(job: Measurement, folder: Path, hours: float) -> dict[str, object]:
        ran.append(job.name)
        return run(job, folder, hours)

    monkeypatch.setattr(Measurements, "jobs", jobs)
    monkeypatch.setattr(on_gpu, "run", noted)
    arguments = ["on_gpu", "--data-dir", str(tmp_path), "--output", str(tmp_path / "out"), "--quick"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--parts", "peak"])
    for expected in (["good", "bad"], ["good", "bad", "bad"]):
        with pytest.raises(SystemExit) as exit_code:
            main()
        assert exit_code.value.code == 1
        assert ran == expected
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert {name: job["outcome"] for name, job in summary["jobs"].items()} == codes


def test_without_a_gpu_or_data_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for data, message in ((tmp_path, "torch sees no GPU here"), (tmp_path / "absent", "no folder")):
        monkeypatch.setattr(sys, "argv", ["on_gpu", "--data-dir", str(data), "--output", str(tmp_path)])
        with pytest.raises(SystemExit):
            main()
        assert message in capsys.readouterr().err
