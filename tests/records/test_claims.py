"""Claims: they end with their process, say whose they are, and are taken over from a process that was stopped."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.commands import process_environment
from tests.support.records import predictions, record
from xlt_bench.cli.waiting import say_waiting
from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.errors import ClaimLostError
from xlt_bench.records import leases
from xlt_bench.records.claims import Claims
from xlt_bench.records.leases import Owner, read_lease
from xlt_bench.records.store import Store
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

HOLDER = """
import sys, time
from pathlib import Path
from xlt_bench.records.claims import Claims
with Claims(Path(sys.argv[1]), beat_seconds=0.05).hold(sys.argv[2:]):
    print("holding", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(folder: Path, *keys: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds claims until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), *keys], stdout=subprocess.PIPE, text=True, env=process_environment()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def impatient(folder: Path) -> Claims:
    """Claims that are taken over after half a second."""
    return Claims(folder, beat_seconds=0.05, lost_seconds=0.5)


def lease_of(folder: Path, key: str) -> Path:
    lease = read_lease(folder, key)
    assert lease is not None
    return lease.folder


def claimed_within(claims: Claims, key: str, seconds: float) -> float:
    """How long it takes until a key can be claimed, which is given back at once."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        with claims.hold([key]) as claimed:
            if claimed:
                return time.monotonic() - started
        time.sleep(0.02)
    raise AssertionError(f"{key} was not claimed within {seconds} s")


def test_a_claim_says_whose_it_is_and_its_files_go_with_it(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    assert claims.owner("run") is None
    with claims.hold(["run"]):
        owner = Claims(tmp_path).owner("run")
        assert owner is not None
        assert (owner.process_id, owner.host, owner.silent_seconds) == (os.getpid(), platform.node(), 0)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", owner.since)
        with Claims(tmp_path).hold(["run", "another"]) as claimed:  # asking takes nothing from the owner
            assert claimed == ["another"]
        assert Claims(tmp_path).owner("run") == owner
        assert Claims(tmp_path).held("run")
    assert claims.owner("run") is None
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_leaves_is_free_at_once(tmp_path: Path) -> None:
    with holder(tmp_path, "run") as process:
        owner = Claims(tmp_path).owner("run")
        assert owner is not None
        assert owner.process_id == process.pid
        process.kill()
        process.wait()
        assert list(tmp_path.rglob("owner.json"))
        claims = Claims(tmp_path)
        assert (claims.owner("run"), claims.held("run")) == (None, False)
        with claims.hold(["run"]) as claimed:
            assert claimed == ["run"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "a"}', '{"host": "a", "process_id": "x", "since": ""}'])
def test_a_file_that_says_nothing_is_no_fault(content: str, tmp_path: Path) -> None:
    with Claims(tmp_path).hold(["run"]):
        (lease_of(tmp_path, "run") / "owner.json").write_text(content)
        assert Claims(tmp_path).held("run")
        assert Claims(tmp_path).owner("run") is None
        with Claims(tmp_path).hold(["run"]) as claimed:
            assert not claimed


def test_a_stopped_owner_is_seen_and_loses_its_claim_after_the_stated_time(tmp_path: Path) -> None:
    claims = impatient(tmp_path)
    with holder(tmp_path, "run") as process:
        time.sleep(0.7)
        with claims.hold(["run"]) as claimed:
            assert not claimed, "a sign of life is half a second old at most"
        os.kill(process.pid, signal.SIGSTOP)
        assert claimed_within(claims, "run", 5.0) >= 0.3
        os.kill(process.pid, signal.SIGCONT)
        with impatient(tmp_path).hold(["run"]) as claimed:
            assert claimed == ["run"], "who wakes up has nothing left"
            time.sleep(0.2)
            owner = claims.owner("run")
            assert owner is not None
            assert owner.process_id == os.getpid()


def test_an_owner_of_another_machine_is_believed_until_its_signs_of_life_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks say nothing there: they may not cross the file system."""
    with holder(tmp_path, "run") as process:
        path = lease_of(tmp_path, "run") / "owner.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "machine": "another"}))
        process.kill()
        process.wait()
        claims = impatient(tmp_path)
        assert claims.held("run")
        assert claimed_within(claims, "run", 5.0) >= 0.3


def test_without_locks_the_lease_alone_keeps_others_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(leases.errno.ENOLCK, "no locks available")

    monkeypatch.setattr(leases.fcntl, "flock", refuse)
    with impatient(tmp_path).hold(["run"]):
        time.sleep(0.7)
        with impatient(tmp_path).hold(["run"]) as claimed:
            assert not claimed
        assert impatient(tmp_path).held("run")
    with impatient(tmp_path).hold(["run"]) as claimed:
        assert claimed == ["run"]


def test_the_clock_that_counts_is_the_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with impatient(tmp_path).hold(["run"]):
        monkeypatch.setattr(leases.time, "time", lambda: 0.0)
        lease = read_lease(tmp_path, "run")
        assert lease is not None
        assert -0.1 <= lease.age < 0.5


def test_nothing_of_a_lost_claim_is_published(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    answers = predictions()
    mine, theirs = record(answers), record(answers, label="theirs")
    key = mine.cell.fingerprint
    with store.claims.hold([key]):
        store.write(mine, answers)
        lease = read_lease(tmp_path / ".claims", key)
        assert lease is not None
        lease.remove()  # as another process does it
        with other.claims.hold([key]) as claimed:
            assert claimed == [key]
            other.write(theirs, answers)
            with pytest.raises(ClaimLostError, match="another one has taken over"):
                store.write(mine, answers)
            with pytest.raises(ClaimLostError, match="another one has taken over"):
                store.fits.keep(key, lambda folder: None)
        with pytest.raises(ClaimLostError):
            store.write(mine, answers)
    assert other.find(key) == theirs
    assert sorted(path.name for path in tmp_path.iterdir()) == [".claims", ".fits", key]


CONTENDER = """
import os, random, sys, time
from pathlib import Path
from xlt_bench.errors import ClaimLostError
from xlt_bench.records.claims import Claims
folder, total, end = Path(sys.argv[1]), 0, time.monotonic() + float(sys.argv[2])
claims = Claims(folder / "claims", beat_seconds=0.02, lost_seconds=0.3)
counter = folder / "counter"
print("ready", flush=True)
while time.monotonic() < end:
    with claims.hold(["run"]) as claimed:
        if not claimed:
            time.sleep(0.005)
            continue
        count = int(counter.read_text())
        time.sleep(random.random() * 0.02)
        try:
            with claims.drafts("run", folder) as drafts:
                (drafts / "counter").write_text(str(count + 1))
                (drafts / "counter").rename(counter)
            total += 1
        except ClaimLostError:
            pass
print(total, flush=True)
"""


def test_of_many_processes_some_of_them_stopped_none_undoes_what_another_did(tmp_path: Path) -> None:
    """Each adds one under its claim; were two at work at once, or did a woken one write over, a number would lack."""
    (tmp_path / "counter").write_text("0")
    command = [sys.executable, "-c", CONTENDER, str(tmp_path), "4"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=process_environment()) for _ in range(5)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes[:3]:
        owner_id = next(
            (owner.process_id for owner in [Claims(tmp_path / "claims").owner("run")] if owner), process.pid
        )
        os.kill(owner_id, signal.SIGSTOP)
        time.sleep(0.8)
        os.kill(owner_id, signal.SIGCONT)
    totals = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(totals) == int((tmp_path / "counter").read_text())
    assert sum(total > 0 for total in totals) >= 2


def said(number: int, owners: list[Owner]) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        say_waiting(console, "runs")(number, owners)
    return capture.get()


def test_of_many_owners_some_are_named() -> None:
    owners = [Owner("a", number, "2026-01-02 03:04:05 UTC") for number in range(10, 15)]
    line = said(7, owners)
    assert "process 10 on a since 2026-01-02 03:04:05 UTC; process 11 on a since" in line
    assert " and 2 more; runs of a process that is not heard of for 120 s are made here\n" in line
    assert line.count("\n") == 1
    assert said(1, []) == "another process works on the last 1 runs; waiting for it\n"
    silent = said(1, [*owners[:1], Owner("b", 9, "2026-01-02 03:04:05 UTC", 45)])
    assert "process 9 on b since 2026-01-02 03:04:05 UTC, not heard of for 45 s; runs of" in silent
    assert silent.endswith("are made here; if it was stopped, kill -CONT 9 lets it go on\n")


@pytest.mark.usefixtures("toy_installed")
def test_waiting_for_a_process_that_is_stopped_names_it_and_takes_its_runs_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = prepare(
        Request(task="toy", method="majority", sources="joshi5", seeds=(0,), device="cpu", store=tmp_path / "store")
    )
    (cell,) = experiment.cells
    claims = experiment.setup.store.claims
    monkeypatch.setattr(claims, "_beat_seconds", 0.1)
    monkeypatch.setattr(claims, "_lost_seconds", 2.5)
    lines = []
    with holder(tmp_path / "store" / ".claims", cell.fingerprint) as process:
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        (finished,) = carry_out(experiment, LocalEngine(), lambda number, owners: lines.append(said(number, owners)))
    assert finished.complete
    assert f"waiting for the last 1 runs: process {process.pid} on {platform.node()} since 2" in lines[-1]
    assert re.search(r", not heard of for \d+ s; ", lines[-1])
    assert f"kill -CONT {process.pid} lets it go on" in lines[-1]
