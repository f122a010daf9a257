"""Studies on a toy task: planned, run, resumed after being killed, shared by processes, and reported."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.support import SUPPORT
from tests.support.adapting_plugin import WORKING
from tests.support.commands import Command, process_environment
from tests.support.forked import start
from tests.support.plugins import GOOD, write_plugin
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

ADAPTING = SUPPORT / "adapting_plugin.py"
STORE = Path("xlt-results")
STUDY = f"""
title = "Toy study"
question = "Does it | hold?"

[[grid]]
methods = ["{ADAPTING}:Adapting"]
sources = ["joshi5"]
targets = "kat_Geor,tha_Thai,swh_Latn"
protocol = "full"
shots = [0, 4, "all"]
seeds = 4

[[grid]]
methods = ["{ADAPTING}:Adapting"]
sources = ["none"]
targets = "kat_Geor,tha_Thai,swh_Latn"
shots = [4, "all"]
seeds = 4

[report]
form = "curve"
over = "shots"
pairs = [["{ADAPTING}:Adapting:joshi5", "{ADAPTING}:Adapting:none"]]
"""
CELLS = 4 * (1 + 2 * 3) + 4 * 2 * 3


@pytest.fixture
def study(tmp_path: Path) -> str:
    path = tmp_path / "toy.toml"
    path.write_text(STUDY)
    return str(path)


def options(*more: str) -> tuple[str, ...]:
    return ("--task", "toy", "--device", "cpu", *more)


def stored(folder: Path = STORE) -> list[Record]:
    records, damaged = Store(folder).records()
    assert not damaged
    return [replace(record, timing={}, created="", peak_memory_bytes=None, environment={}) for record in records]


def test_a_study_from_plan_to_report(command: Command, study: str) -> None:
    planned = command("study", "plan", study, *options())
    assert planned.code == 0
    assert f"study toy: {CELLS} cells, {CELLS} of them to run" in planned.out
    assert "about" in planned.out
    assert "no run is complete; run it with: xlt-bench study run" in command("study", "report", study, *options()).err
    assert "0 done, " in command("study", "status", study, *options()).out
    ran = command("study", "run", study, *options())
    assert ran.code == 0
    assert f"study toy: {CELLS} done" in ran.out
    assert len(stored()) == CELLS
    assert not list((STORE / ".fits").iterdir())
    again = command("study", "run", study, *options())
    assert "to do" not in again.err
    report = command("study", "report", study, *options())
    assert report.code == 0
    assert "| Labelled target examples" in report.out
    assert "| 0 " in report.out
    assert "| all " in report.out
    assert "Does it \\| hold?" in report.out
    assert "## Differences" in report.out
    assert "Incomplete" not in report.out


def test_a_limit_is_kept_and_the_rest_is_missing(command: Command, study: str) -> None:
    ran = command("study", "run", study, *options("--limit-cells", "10"))
    assert ran.code == 0
    assert f"study toy: 10 done, {CELLS - 10} missing" in ran.out
    report = command("study", "report", study, *options("-o", "toy.md"))
    assert report.code == 0
    assert f"**Incomplete**: {CELLS - 10} runs are missing" in Path("toy.md").read_text()
    assert command("study", "run", study, *options("--limit-cells", "0")).code == 2


def test_a_failed_run_is_kept_and_the_others_go_on(command: Command, tmp_path: Path) -> None:
    broken = write_plugin(tmp_path, "raise RuntimeError('boom')", "broken.py")
    path = tmp_path / "mixed.toml"
    path.write_text(
        f'title = "t"\nquestion = "q"\n[[grid]]\nmethods = ["{broken}", "{ADAPTING}:Adapting"]\n'
        'sources = ["joshi5", "nowhere"]\nseeds = 2\n[report]\nform = "groups"\n'
    )
    ran = command("study", "run", str(path), *options())
    assert ran.code == 1
    assert "left out: " in ran.err
    assert "no language or group 'nowhere'" in ran.err
    assert "study mixed: 2 done, 2 failed" in ran.out
    report = command("study", "report", str(path), *options())
    assert "4 of 4 runs, 2 of them failed" in report.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan",), "study plan needs a NAME; see: xlt-bench study ls"),
        (("run", "tabel1"), "no study 'tabel1'; did you mean 'table1'?"),
        (("run", "mine.toml"), "no file mine.toml"),
        (("dance", "table1"), "'dance' is not one of"),
        (("run", "table1", "--seeds", "x"), "--seeds takes a count"),
        (("run", "table1", "--steps", "0"), "--steps must be a whole number of at least 1, not 0"),
        (("run", "table1", "--task", "cldx"), "no task 'cldx'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(command: Command, words: tuple[str, ...], said: str) -> None:
    found = command("study", *words)
    assert found.code == 2
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1


KILLS = 20


@pytest.mark.usefixtures("toy_installed")
def test_killed_inside_fits_it_goes_on_and_ends_as_if_undisturbed(tmp_path: Path, study: str) -> None:
    """A store whose study is killed 20 times inside a fit holds, in the end, the files of one that never was."""
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir()
    rough.mkdir()
    assert ended(study, calm) == 0
    moments, attempts, inside = random.Random(8), 0, 0
    while inside < KILLS:
        attempts += 1
        process = forked(study, rough, seconds="0.2")
        wait_for_work(process, rough, moments.uniform(0.0, 0.15))
        process.kill()
        process.join()
        inside += any(rough.glob(f"{WORKING}-*"))
        for working in rough.glob(f"{WORKING}-*"):
            working.unlink()
        stored(rough / STORE)  # none is damaged
        assert attempts < 3 * KILLS, "many kills must land inside a fit"
    assert ended(study, rough) == 0
    assert stored(rough / STORE) == stored(calm / STORE)
    assert answers(rough / STORE) == answers(calm / STORE)
    assert len(stored(calm / STORE)) == CELLS
    # each kill loses at most the cell under way, and its fit on the sources
    assert len(calls(rough)) - len(calls(calm)) <= 2 * attempts


def forked(study: str, folder: Path, seconds: str) -> BaseProcess:
    environment = process_environment(ADAPTING_SECONDS=seconds)
    return start(["study", "run", study, *options()], folder, environment)


def ended(study: str, folder: Path) -> int | None:
    process = forked(study, folder, seconds="0")
    process.join(timeout=120)
    return process.exitcode


def answers(store: Path) -> dict[str, bytes]:
    """Every Record's predictions, byte by byte."""
    return {path.parent.name: path.read_bytes() for path in store.glob("*/predictions.parquet")}


@pytest.mark.usefixtures("toy_installed")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, study: str) -> None:
    process = forked(study, tmp_path, seconds="0.2")
    while process.is_alive() and len(calls(tmp_path)) < 4:
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join(timeout=60)
    assert process.exitcode == 130
    said = (tmp_path / "output.txt").read_text()
    assert "missing; the same command goes on with the rest" in said
    assert "Traceback" not in said
    assert 0 < len(stored(tmp_path / STORE)) < CELLS


def wait_for_work(process: BaseProcess, folder: Path, seconds: float) -> None:
    """Until it works inside a call of the method, and so many seconds; or until it has ended."""
    while process.is_alive() and not any(folder.glob(f"{WORKING}-*")):
        time.sleep(0.002)
    time.sleep(seconds)


def calls(folder: Path) -> list[str]:
    path = folder / "calls.txt"
    return [line.partition(" ")[2] for line in path.read_text().splitlines()] if path.exists() else []


SWEEP = """
title = "Sweep"
question = "Which mode?"
[[grid]]
methods = ["METHOD"]
sources = ["joshi5"]
seeds = 1
sweep = { mode = ["low", "high"], strength = [1, 2] }
[report]
form = "groups"
"""


def test_a_sweep_over_a_choice_is_a_row_each_and_no_other_value_can_be(command: Command, tmp_path: Path) -> None:
    reference = write_plugin(tmp_path, GOOD)
    code = Path(reference.partition(":")[0])
    mode = (
        "from typing import ClassVar, Literal\n",
        '    strength: float = 1\n    mode: Literal["low", "high"] = "low"\n',
    )
    text = (
        code.read_text().replace("from typing import ClassVar\n", mode[0]).replace("    strength: float = 1\n", mode[1])
    )
    code.write_text(text)
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP.replace("METHOD", reference))
    assert command("study", "run", path, "--task", "toy", "--device", "cpu").code == 0
    report = command("study", "report", path, "--task", "toy", "--device", "cpu").out
    header = next(line for line in report.splitlines() if line.startswith("| Target group"))
    assert header.count("mode=high") == 2
    assert header.count("strength=2.0") == 2
    path.write_text(SWEEP.replace("METHOD", reference).replace('"high"]', '"middle"]'))
    refused = command("study", "plan", path, "--task", "toy", "--no-estimate")
    assert refused.code == 2
    assert "'mode' of" in refused.err
    assert "must be 'low' or 'high', not 'middle'" in refused.err.replace("\n", " ")
