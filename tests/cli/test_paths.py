"""Paths and numbers that no command can use: one line and exit code 2, whatever the option; nothing is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Command, process_environment
from xlt_bench.cli.main import main

LONG = "x" * 300
NOWHERE = {
    "longer than a name may be": LONG,
    "longer than a path may be": "a/" * 3000,
    "inside a file": "file/x",
    "a link to itself": "loop/x",
    "a folder that nobody may look into": "private/x",
}
INPUTS = {
    "--store of run": ["run", "-m", "majority", "--task", "toy", "--sources", "joshi5", "--store"],
    "--init-from of run": ["run", "-m", "spt", "--task", "toy", "--sources", "joshi5", "--init-from"],
    "--backbone of run": ["run", "-m", "spt", "--task", "toy", "--sources", "joshi5", "--backbone"],
    "--task of run": ["run", "-m", "majority", "--task"],
    "--groups of run": ["run", "-m", "majority", "--task", "toy", "--sources", "joshi5", "--groups"],
    "--seen of run": ["run", "-m", "majority", "--task", "toy", "--sources", "joshi5", "--seen"],
    "--data-dir of run": ["run", "-m", "majority", "--task", "sib200", "--data-dir"],
    "an adapter to evaluate": ["evaluate", "--task", "toy"],
    "--to of export": ["export", "abcd", "--to"],
    "--store of export": ["export", "abcd", "--to", "new", "--store"],
    "--to of new-method": ["new-method", "low-rank", "--to"],
    "answers to import": ["import-baseline", "--name", "x", "--task", "toy"],
    "a study": ["study", "plan"],
    "a task to check": ["check-task"],
}


@pytest.fixture
def places(program: Command) -> Iterator[None]:
    """A file, a link to itself, and a folder without permissions, which mean nothing to root: root leaves it out."""
    Path("file").write_text("")
    Path("loop").symlink_to("loop")
    Path("private").mkdir(mode=0o000)
    yield
    Path("private").chmod(0o700)


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("place", NOWHERE)
@pytest.mark.parametrize("option", INPUTS)
def test_a_path_that_cannot_be_used_is_one_short_line(command: Command, option: str, place: str) -> None:
    if place.endswith("look into") and os.access("private", os.W_OK):
        pytest.skip("root may look everywhere")
    said = command(*INPUTS[option], NOWHERE[place])
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
    assert said.err.startswith("error: ")
    assert max(map(len, said.err.split())) < 320
    assert not Path("xlt-results").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "-m", "majority", "--task", "./pipe.toml"],
        ["run", "-m", "majority", "--task", "toy", "--sources", "joshi5", "--groups", "pipe.toml"],
        ["run", "-m", "majority", "--task", "toy", "--sources", "joshi5", "--seen", "pipe.toml"],
        ["import-baseline", "pipe.toml", "--name", "x", "--task", "toy"],
        ["study", "plan", "pipe.toml"],
    ],
    ids=["task", "groups", "seen", "answers", "study"],
)
def test_a_pipe_is_not_waited_for(command: Command, arguments: list[str]) -> None:
    os.mkfifo("pipe.toml")
    writer = threading.Timer(5.0, lambda: os.close(os.open("pipe.toml", os.O_RDWR | os.O_NONBLOCK)))
    writer.start()  # ends the wait of a program that waits
    said = command(*arguments)
    in_time = writer.is_alive()
    writer.cancel()
    assert in_time, "it waited"
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said


DIGITS = "9" * 5000
NUMBERS = {
    "seeds": ["run", "-m", "majority", "--seeds", DIGITS],
    "a list of seeds": ["run", "-m", "majority", "--seeds", f"1,{DIGITS}"],
    "shots": ["run", "-m", "majority", "--protocol", "full", "--shots", DIGITS],
    "steps": ["run", "-m", "majority", "--steps", DIGITS],
    "more steps than are meant": ["run", "-m", "majority", "--steps", "1000001"],
    "seeds of a study": ["study", "plan", "ablations", "--seeds", DIGITS],
    "a hyper-parameter": ["run", "-m", "ngram-mlp", "--set", f"epochs={DIGITS}"],
    "a level": ["leaderboard", "--level", DIGITS],
    "trials": ["tune", "-m", "majority", "--trials", DIGITS],
    "a seed of trials": ["run", "-m", "majority", "--seeds", "4000000000,"],
    "a negative rate": ["run", "-m", "spt", "--set", "learning_rate=-1"],
    "a negative rate of the head": ["run", "-m", "xpe", "--set", "head_learning_rate=-1e-9"],
    "a negative rate of its own": ["run", "-m", "ngram-mlp", "--set", "learning_rate=-0.1"],
    "a prompt without room for text": [
        "run",
        "-m",
        "xpe",
        "--task",
        "toy",
        "--sources",
        "joshi5",
        "--set",
        "n_tokens=1000000000",
    ],
}


REASONS = re.compile(
    "whole number|an integer|a count such as|examples such as|between 0 and 1|negative|no room|held for trials"
)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_cannot_be_is_named_before_anything_runs(command: Command, number: str) -> None:
    said = command(*NUMBERS[number])
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
    assert len(said.err) < 600
    assert re.search(
        r"whole number|an integer|a count such as|examples such as|between 0 and 1|negative|no room|held for trials",
        said.err,
    )
    assert not Path("xlt-results").exists()


def test_options_without_effect_are_named(run: Command) -> None:
    said = run("-m", "majority", "--seeds", "1", "--steps", "7", "--text-prefix", "query: ", "--read-out", "mean")
    assert "majority uses no backbone: --steps, --read-out, --text-prefix change nothing" in said.err
    assert "change nothing" not in run("-m", "head-only", "--seeds", "1", "--steps", "1").err


def test_a_fit_without_steps_is_one_run_whatever_is_said_of_steps(run: Command) -> None:
    words = ("-m", "linear-probe", "--seeds", "1")
    assert "change nothing" not in run(*words).err
    said = run(*words, "--steps", "7", "--rate-factors", "2,1", "--checkpoint", "mean")
    assert "linear-probe takes no optimiser steps: --steps, --rate-factors, --checkpoint change nothing" in said.err
    assert "1 already in the store" in said.err
    assert "checkpoint=mean" not in said.out


def test_a_board_of_a_backbone_that_nothing_has_is_refused(command: Command, run: Command) -> None:
    assert run("-m", "majority", "--seeds", "1").code == 0
    assert command("leaderboard", "--backbone", "none").code == 0
    said = command("leaderboard", "--backbone", "nanoo")
    assert (said.code, said.out) == (2, "")
    assert "no Records fit --backbone nanoo" in said.err


def test_nothing_to_rescore_is_said(command: Command, run: Command) -> None:
    said = command("rescore")
    assert (said.code, said.out) == (2, "")
    assert "nothing to rescore: no Record in xlt-results" in said.err
    assert run("-m", "majority", "--seeds", "1").code == 0
    assert "no Record of task other" in command("rescore", "--task", "other").err


@pytest.mark.parametrize(("closed", "code"), [("stdout", 0), ("stderr", 0)])
def test_a_closed_stream_is_no_fault(program: Command, closed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, closed, None)
    assert main(["ls", "methods"]) == code


def test_whoever_has_read_enough_leaves_without_a_word(tmp_path: Path) -> None:
    command = f"{sys.executable} -m xlt_bench ls methods | head -c 1"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=process_environment(), cwd=tmp_path, check=True
    )
    assert (len(ended.stdout), ended.stderr) == (1, "")


def test_a_full_disk_under_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "xlt_bench", "ls", "tasks"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=process_environment(),
            cwd=tmp_path,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (2, "error: No space left on device\n")
