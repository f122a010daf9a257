"""A job that is out of time: put back as long as it gets further. With a real Slurm: tests/slurm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.records import cell
from xlt_bench.engines.slurm import commands, job


@pytest.fixture
def requeued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    jobs: list[str] = []
    monkeypatch.setattr(commands, "requeue", jobs.append)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "40")  # preemptions and nodes that failed count there too
    return jobs


def test_it_is_given_up_after_ten_fruitless_times_in_a_row(
    tmp_path: Path, requeued: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "0.json"
    for fruitful in [*[False] * 9, True, *[False] * 9]:
        job._go_on_later(plan, fruitful)
    assert requeued == ["17"] * 19
    job._go_on_later(plan, False)
    assert len(requeued) == 19
    assert "10 times in a row out of time" in capsys.readouterr().err


def test_a_checkpoint_of_one_of_its_fits_or_of_a_language_is_further(tmp_path: Path) -> None:
    of_plan, of_another = cell(seed=0), cell(seed=1)
    plan = tmp_path / "0.json"
    plan.write_text(json.dumps({"store": str(tmp_path / "store"), "cells": [of_plan.as_json()]}))
    assert job._checkpoints(plan) == {}
    folder = tmp_path / "store" / ".checkpoints"
    folder.mkdir(parents=True)
    (folder / f"{of_another.fingerprint}-0.safetensors").touch()
    assert job._checkpoints(plan) == {}
    (folder / f"{of_plan.fingerprint}-0.safetensors").touch()
    assert list(job._checkpoints(plan)) == [f"{of_plan.fingerprint}-0.safetensors"]
    (folder / "languages").mkdir()
    (folder / "languages" / "georgian-0.safetensors").touch()
    assert list(job._checkpoints(plan)) == [f"{of_plan.fingerprint}-0.safetensors", "georgian-0.safetensors"]
