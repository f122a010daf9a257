"""Claims: they end with their process, say whose they are, and a process that waits says so."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.commands import process_environment
from xlt_bench.cli.waiting import say_waiting
from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.records.claims import Claims, Owner
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

HOLDER = """
import sys, time
from pathlib import Path
from xlt_bench.records.claims import Claims
with Claims(Path(sys.argv[1])).hold(sys.argv[2:]):
    print("holding", flush=True)
    time.sleep(600)
"""


def holder(folder: Path, *keys: str) -> subprocess.Popen[str]:
    """A process that holds claims until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), *keys], stdout=subprocess.PIPE, text=True, env=process_environment()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    return process


def files_of_owners(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.owner")]


def test_a_claim_says_whose_it_is_and_its_file_goes_with_it(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    assert claims.owner("run") is None
    with claims.hold(["run"]):
        owner = Claims(tmp_path).owner("run")
        assert owner is not None
        assert (owner.process_id, owner.host) == (os.getpid(), platform.node())
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", owner.since)
        with Claims(tmp_path).hold(["run", "other"]) as claimed:  # asking takes nothing from the owner
            assert claimed == ["other"]
        assert Claims(tmp_path).owner("run") == owner
    assert claims.owner("run") is None
    assert not files_of_owners(tmp_path)


def test_what_a_killed_process_leaves_is_not_believed(tmp_path: Path) -> None:
    process = holder(tmp_path, "run")
    owner = Claims(tmp_path).owner("run")
    assert owner is not None
    assert owner.process_id == process.pid
    process.kill()
    process.communicate()
    assert files_of_owners(tmp_path) == ["run.owner"]
    assert Claims(tmp_path).owner("run") is None
    assert not files_of_owners(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "a"}', '{"host": "a", "process_id": "x", "since": ""}'])
def test_a_file_that_says_nothing_is_no_fault(content: str, tmp_path: Path) -> None:
    with Claims(tmp_path).hold(["run"]):
        (tmp_path / "run.owner").write_text(content)
        assert Claims(tmp_path).held("run")
        assert Claims(tmp_path).owner("run") is None


def said(number: int, owners: list[Owner]) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        say_waiting(console, "runs")(number, owners)
    return capture.get()


def test_of_many_owners_some_are_named() -> None:
    owners = [Owner("a", number, "2026-01-02 03:04:05 UTC") for number in range(10, 15)]
    line = said(7, owners)
    assert "process 10 on a since 2026-01-02 03:04:05 UTC; process 11 on a since" in line
    assert " and 2 more;" in line
    assert line.count("\n") == 1
    assert said(1, []) == "another process works on the last 1 runs; waiting for it\n"


@pytest.mark.usefixtures("toy_installed")
def test_waiting_for_a_process_that_is_stopped_names_it_and_goes_on_once_it_is_ended(tmp_path: Path) -> None:
    experiment = prepare(
        Request(task="toy", method="majority", sources="joshi5", seeds=(0,), device="cpu", store=tmp_path / "store")
    )
    (cell,) = experiment.cells
    process = holder(experiment.setup.store.folder / ".claims", cell.fingerprint)
    os.kill(process.pid, signal.SIGSTOP)
    lines = []

    def end(number: int, owners: list[Owner]) -> None:
        lines.append(said(number, owners))
        process.kill()
        process.communicate()

    (record,) = carry_out(experiment, LocalEngine(), end)
    assert record.complete
    (line,) = lines
    assert f"waiting for the last 1 runs: process {process.pid} on {platform.node()} since 2" in line
    assert f"kill -CONT {process.pid} lets it go on, and kill -KILL {process.pid} ends it" in line
