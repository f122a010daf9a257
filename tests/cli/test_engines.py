"""`--engine` and what belongs to it: what cannot be is one clear line, before anything is loaded or submitted."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from tests.support.commands import Command
from tests.support.records import cell
from xlt_bench.cli.engines import EngineChoice, leave_or_cancel
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm.submissions import Submissions
from xlt_bench.runs.request import Request

SLURM = ["--engine", "slurm"]
WRONG: dict[str, tuple[list[str], str]] = {
    "engine": (["--engine", "slrm"], "no engine 'slrm'; did you mean 'slurm'?"),
    "jobs of no cluster": (["--job", "time=5"], "--profile and --job are about jobs of a cluster"),
    "profile of no cluster": (["--profile", "gpu.toml"], "they need --engine slurm or ray"),
    "nothing to leave": (["--detach"], "--detach leaves jobs of a cluster to themselves; it needs --engine slurm"),
    "key": ([*SLURM, "--job", "partitoin=gpu"], "did you mean 'partition'?"),
    "no file": ([*SLURM, "--profile", "none.toml"], "cannot read none.toml"),
    "threads": ([*SLURM, "--threads", "2"], "--job cpus="),
    "no such partition": (
        [*SLURM, "--job", "partition=gup"],
        "no partition 'gup'; did you mean 'gpu'? see: sinfo (gpu, long)",
    ),
    "key of Slurm": (["--engine", "ray", "--job", "partition=gpu"], "--job no key 'partition'"),
    "Ray's client": (["--engine", "ray", "--job", "address=ray://head:10001"], "is of Ray's client; start the command"),
    "threads of Ray": (["--engine", "ray", "--threads", "2"], "--job cpus="),
    "Ray has no submissions": (["--engine", "ray", "--detach"], "it needs --engine slurm"),
    "GPU of the jobs": ([*SLURM, "--device", "cuda"], "jobs ask for 0 GPUs; leave --device out, and say --job gpus=1"),
    "jobs with a GPU": ([*SLURM, "--device", "cpu", "--job", "gpus=1"], "say --job gpus=0"),
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that answer as those of a cluster with two partitions; any submission fails the test."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in {
        "sinfo": "printf 'gpu\\ngpu\\nlong\\n'",
        "squeue": "true",
        "scontrol": "false",
        "sbatch": "touch submitted; exit 1",
    }.items():
        path = programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


@pytest.mark.parametrize("fault", WRONG)
def test_one_clear_line_and_nothing_on_disk(run: Command, cluster: Path, fault: str) -> None:
    options, message = WRONG[fault]
    said = run(*options)
    assert said.code == 2
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert not Path("xlt-results").exists()
    assert not Path("submitted").exists()


@pytest.mark.parametrize("arguments", [["tune", "-m", "majority", "--trials", "2"], ["study", "run", "table1"]])
def test_other_commands_say_the_same(command: Command, cluster: Path, arguments: list[str]) -> None:
    said = command(*arguments, "--engine", "slurm", "--job", "partition=gup")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert "no partition 'gup'" in said.err


def test_a_machine_that_cannot_submit(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = run("--engine", "slurm")
    assert said.code == 2
    assert "there is no sbatch on this machine; start the command where jobs are submitted" in said.err


def test_a_machine_without_submitit(run: Command, cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    said = run("--engine", "slurm")
    assert said.code == 2
    assert said.err == "error: --engine slurm needs submitit; install it with: pip install submitit\n"


def test_what_sbatch_says_of_the_probe_is_passed_on(run: Command, cluster: Path) -> None:
    (cluster / "sbatch").write_text(
        "#!/bin/sh\necho 'sbatch: error: Invalid account or account/partition' >&2; exit 1\n"
    )
    said = run("--engine", "slurm", "-m", "majority")
    assert said.code == 2
    assert "sbatch failed: Invalid account or account/partition; mend the profile or --job" in said.err
    assert not list(Path("xlt-results", ".jobs").glob("xlt-*")), "nothing else was submitted"


def test_runs_are_counted_by_jobs(command: Command, cluster: Path) -> None:
    Path("few.toml").write_text('[[grid]]\nmethods = ["majority"]\nsources = ["joshi5"]\ntitle = "few"\n')
    said = command("study", "run", "table1", "--task", "toy", "--engine", "slurm", "--limit-cells", "3")
    assert said.code == 2
    assert "--limit-cells counts runs that this process makes" in said.err


class Told:
    """In place of a console: the lines that were printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, line: str, **style: object) -> None:
        self.lines.append(line)


@pytest.fixture
def queued(cluster: Path, tmp_path: Path) -> str:
    """A store whose one submission is in the queue; its name. What is cancelled is noted in a file."""
    submission = Submissions(tmp_path / "store").add([Plan(Request(), (cell(),), tmp_path, tmp_path)])
    (cluster / "squeue").write_text(f"#!/bin/sh\necho '17|{submission.name}|N/A|PENDING|Priority|'\n")
    (cluster / "scancel").write_text('#!/bin/sh\necho "$@" > cancelled\n')
    (cluster / "scancel").chmod(0o755)
    return submission.name


@pytest.mark.parametrize(("answer", "cancelled"), [(True, True), (False, False), (None, False)])
def test_ctrl_c_asks_what_becomes_of_jobs_and_leaves_them_where_nobody_can_answer(
    queued: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bool | None, cancelled: bool
) -> None:
    questions: list[str] = []

    def confirm(question: str, **options: object) -> bool:
        questions.append(question)
        return bool(answer)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None)
    monkeypatch.setattr("typer.confirm", confirm)
    told = Told()
    leave_or_cancel(EngineChoice("slurm"), tmp_path / "store", cast(Console, told))
    assert Path("cancelled").exists() == cancelled
    assert len(questions) == (answer is not None)
    if cancelled:
        assert Path("cancelled").read_text() == f"--name={queued}\n"
        assert told.lines == [f"cancelled 1 job; what they have made stays in {tmp_path}/store"]
    else:
        assert told.lines == [f"1 job left in the queue; to cancel: scancel --name={queued}"]


def test_ctrl_c_of_runs_in_this_process_asks_nothing(queued: str, tmp_path: Path) -> None:
    told = Told()
    leave_or_cancel(EngineChoice(), tmp_path / "store", cast(Console, told))
    assert told.lines == []
