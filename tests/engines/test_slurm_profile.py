"""A profile of jobs, as TOML and `--job` say it, and what sbatch is asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.profile import SlurmProfile, read_slurm_profile
from xlt_bench.errors import ConfigError


def test_a_file_says_what_jobs_ask_for_and_options_go_before_it(tmp_path: Path) -> None:
    path = tmp_path / "gpu.toml"
    path.write_text(
        'partition = "gpu"\naccount = "lab"\ntime = "1-12:30:00"\nmemory = "16G"\ncpus = 4\ngpus = "a100:1"\n'
        'setup = ["module load cuda", "source env.sh"]\n[options]\nnodelist = "n1"\n'
    )
    profile = read_slurm_profile(path, ["account=other", "time=90", "cells_per_job=5"])
    assert profile == SlurmProfile(
        partition="gpu",
        account="other",
        time=90,
        memory="16G",
        cpus=4,
        gpus="a100:1",
        cells_per_job=5,
        setup=("module load cuda", "source env.sh"),
        options={"nodelist": "n1"},
    )
    assert profile.sbatch_options() == {
        "partition": "gpu",
        "account": "other",
        "mem": "16G",
        "cpus-per-task": "4",
        "gpus-per-node": "a100:1",
        "nodelist": "n1",
    }


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90", 90), ("4:00:00", 240), ("0:30:01", 31), ("1-12", 2160), ("2-0:30", 2910), ("1-0:0:30", 1441)],
)
def test_times_are_those_of_sbatch(text: str, minutes: int) -> None:
    assert read_slurm_profile(None, [f"time={text}"]).time == minutes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["patition=gpu"], "--job no key 'patition'; did you mean 'partition'?"),
        (["time=soon"], "--job time takes minutes, or hours:minutes:seconds such as 4:00:00, not 'soon'"),
        (["time=4:00"], "--job time takes minutes"),
        (["time=0"], "--job time must be a whole number of at least 1"),
        (["gpus=two"], "--job gpus takes a number or KIND:NUMBER such as a100:1, not 'two'"),
        (["gpus=4"], "--job gpus=4: a job uses one GPU; ask for 1, and let more jobs run at once"),
        (["cpus=-1"], "--job cpus must be a whole number"),
        (["partition="], "--job partition must be a text"),
        (["partition"], "--job takes name=value, not 'partition'; for example --job partition=gpu"),
        (["options=x"], "--job options takes a table"),
        (["time=2"], "time=2 with warning=120: jobs of 2 minutes would be told to leave 120 s before their end"),
        (["time=1:00:00", "warning=3600"], "at their start; give more time or a smaller warning"),
    ],
)
def test_what_cannot_be_is_refused(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_slurm_profile(None, settings)
    assert message in str(error.value)


def test_errors_of_a_file_name_it(tmp_path: Path) -> None:
    path = tmp_path / "gpu.toml"
    path.write_text("cpus = 1.5\n")
    with pytest.raises(ConfigError, match=r"gpu\.toml: cpus must be a whole number of at least 1, not 1\.5"):
        read_slurm_profile(path, [])
    path.write_text("setup = 3\n")
    with pytest.raises(ConfigError, match=r"gpu\.toml: setup takes a text or a list of texts, not 3"):
        read_slurm_profile(path, [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("signal = 'USR1@60'", "options: signal is not said there; use the profile's own warning"),
        ("array = '0-3'", "options: array is not said there; use the profile's own cells_per_job and jobs_at_once"),
        ("--time = 5", "options: time is not said there; use the profile's own time"),
        ("cpus_per_task = 4", "options: cpus-per-task is not said there; use the profile's own cpus"),
        ("job-name = 'mine'", "options: job-name is set by the engine; leave it out"),
        ("output = 'log'", "options: output is set by the engine"),
        ("error = 'log'", "options: error is set by the engine"),
        ("parsable = true", "options: parsable is set by the engine"),
        ("wrap = 'true'", "options: wrap is set by the engine"),
        ("no-requeue = true", "options: no-requeue is set by the engine"),
        ("exclusive = false", "options: exclusive takes a text or a number, or true for an option without a value"),
        ("nice = [1]", "options: nice takes a text or a number"),
    ],
)
def test_options_that_a_profile_cannot_hand_on_are_refused(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "gpu.toml"
    path.write_text(f"[options]\n{line}\n")
    with pytest.raises(ConfigError) as error:
        read_slurm_profile(path, [])
    assert message in str(error.value)


def test_an_option_without_a_value_is_one_for_jobs_and_for_the_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gpu.toml"
    path.write_text("[options]\nexclusive = true\nnice = 5\n")
    options = read_slurm_profile(path, ["time=3"]).sbatch_options()
    assert options == {"exclusive": True, "nice": "5"}, "submitit writes --exclusive for True"
    calls: list[list[str]] = []

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, "17\n", "")

    monkeypatch.setattr(subprocess, "run", answer)
    assert commands.submit("true", options) == "17"
    assert calls == [["sbatch", "--parsable", "--exclusive", "--nice=5", "--wrap=true"]]


def test_a_job_gets_a_pack_unless_more_is_asked_for() -> None:
    assert SlurmProfile().job_size(None) == 1
    assert SlurmProfile(gpus="a100:1").job_size(None) == 16
    assert SlurmProfile(gpus="1").job_size(4) == 4
    assert SlurmProfile(cells_per_job=5).job_size(None) == 5
