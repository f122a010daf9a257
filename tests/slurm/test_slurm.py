"""A real Slurm: a study survives what happens to jobs, and what jobs lack is said before they are submitted."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.commands import Output, process_environment
from tests.support.records import manifests
from tests.support.slurm_cluster import Cluster, missing, wait_for
from tests.support.toy import write_files
from xlt_bench import __version__
from xlt_bench.records.store import Store

pytestmark = pytest.mark.slurm
SLOW = 240.0
"""Seconds that a job may take to begin and make a run, on a machine that does other things too."""

PLUGIN = '''
"""SPT that stands still before its fourth step while the file hang-TOKENS-SEED is there, until it is asked to leave."""
import time
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.methods.spt import SPT

under_way = {}


@dataclass(frozen=True, kw_only=True)
class Plugin(SPT):
    def fit_many(self, train, dev, contexts):
        under_way.update(context=contexts[0], steps=0)
        return super().fit_many(train, dev, contexts)

    def loss(self, outputs, batch):
        context, under_way["steps"] = under_way["context"], under_way["steps"] + 1
        path = Path(f"hang-{self.n_tokens}-{context.seed}")
        while under_way["steps"] == 4 and path.exists() and not context.checkpoints.stop_signals.requested:
            time.sleep(0.1)
        return super().loss(outputs, batch)
'''
STEPS = 6
BUDGET = ("--steps", str(STEPS))

STUDY = """
title = "Twenty cells"
question = "Do they all come back?"
[[grid]]
methods = ["plugin.py:Plugin"]
sources = ["eng_Latn"]
targets = "swh_Latn,kat_Geor"
sweep = { n_tokens = ["1", "2"] }
seeds = 10
[report]
form = "board"
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="xlt-slurm-"))
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a task, a plug-in and a study."""
    write_files(tmp_path / "toy")
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "twenty.toml").write_text(STUDY)
    (tmp_path / "profile.toml").write_text('partition = "short"\ntime = 60\nwarning = 1\ncells_per_job = 5\n')
    return tmp_path


def environment(cluster: Cluster) -> dict[str, str]:
    return process_environment(SLURM_CONF=str(cluster.configuration), COLUMNS="200")


def call(cluster: Cluster, folder: Path, *arguments: str) -> Output:
    process = subprocess.run(
        [sys.executable, "-m", "xlt_bench", *arguments],
        cwd=folder,
        env=environment(cluster),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Output(process.returncode, process.stdout, process.stderr)


def study(cluster: Cluster, folder: Path, action: str, *further: str) -> Output:
    engine = ("--engine", "slurm", "--profile", "profile.toml") if action == "run" else ()
    return call(cluster, folder, "study", action, "twenty.toml", "--task", "toy", *BUDGET, *engine, *further)


def submitted(output: Output) -> list[str]:
    """Ids of the arrays that a command submitted."""
    return re.findall(r"submitted (\d+): ", output.err)


def records_of(folder: Path) -> int:
    return len(Store(folder / "xlt-results").folders())


def logs_of(folder: Path) -> str:
    """What jobs said, of those whose plans are not forgotten."""
    logs = (folder / "xlt-results" / ".jobs").rglob("*.out")
    return "\n".join(path.read_text() for path in logs)


def test_a_study_comes_back_whole_whatever_happens_to_its_jobs(cluster: Cluster, folder: Path) -> None:
    hang = [folder / "hang-1-2", folder / "hang-1-7"]
    for path in hang:
        path.touch()

    first = study(cluster, folder, "run", "--detach")
    assert first.code == 0, first.err
    arrays = submitted(first)
    assert len(arrays) == 2
    assert "10 runs in 2 jobs" in first.err
    assert re.search(r"20 queued|\d+ running, \d+ queued", first.out), first.out

    # both nodes work on the first array: seeds 0 and 1, and 5 and 6, then they hang
    wait_for(lambda: records_of(folder) == 4, "the first runs", SLOW)
    again = study(cluster, folder, "run", "--detach")
    assert not submitted(again), "queued cells were submitted twice"

    cluster.stop_controller()
    silent = study(cluster, folder, "status")
    assert silent.code == 0
    assert "of jobs nothing is known now" in silent.err
    assert "4 done, 2 running, 14 missing" in silent.out
    cluster.start_controller()

    status = study(cluster, folder, "status")
    assert "4 done, 2 running, 14 queued" in status.out, status.out
    assert f"{arrays[0]}_0" in status.out
    assert f"{arrays[1]}_1" in status.out

    cluster.ask("scancel", f"{arrays[1]}_1")
    cluster.ask("scontrol", "update", "NodeName=node2", "State=DRAIN", "Reason=test")
    _end_of_time(cluster, f"{arrays[0]}_0")
    _end_of_time(cluster, f"{arrays[0]}_1")
    wait_for(
        lambda: "PENDING" in cluster.ask("squeue", "-h", "-j", f"{arrays[0]}_0", "-o", "%T"), "a requeued job", SLOW
    )
    for path in hang:
        path.unlink()
    cluster.ask("scontrol", "update", "NodeName=node2", "State=RESUME")
    wait_for(lambda: not cluster.ask("squeue", "-h"), "the end of all jobs", 2 * SLOW)
    assert records_of(folder) == 15, "all but those of the cancelled job"

    status = study(cluster, folder, "status")
    assert "15 done, 5 missing" in status.out
    assert re.search(rf"{arrays[1]}_1 .*ended .* 5 .*it never began", status.out), status.out

    notes = re.findall(rf"seed (\d) goes on from its checkpoint at step (\d) of {STEPS}", logs_of(folder))
    assert sorted(notes) == [("2", "4"), ("7", "4")], "they began again, or in vain"

    last = study(cluster, folder, "run")
    assert last.code == 0, last.err
    assert len(submitted(last)) == 1
    assert "5 runs in 1 job" in last.err
    assert "20 done" in last.out
    remembered = list((folder / "xlt-results" / ".jobs").glob("xlt-*"))
    assert len(remembered) <= 1, "what is complete is forgotten, but for a job that has not left the queue yet"

    local = call(cluster, folder, "study", "run", "twenty.toml", "--task", "toy", *BUDGET, "--store", "local")
    assert local.code == 0, local.err
    assert manifests(folder / "xlt-results") == manifests(folder / "local")
    assert len(manifests(folder / "local")) == 20
    assert not list((folder / "xlt-results" / ".checkpoints").glob("*.safetensors"))


def _end_of_time(cluster: Cluster, job: str) -> None:
    """Let a running job's time be over within a minute or two: limits are whole minutes."""
    match = re.search(r"RunTime=(\d+):(\d+):\d+ ", cluster.ask("scontrol", "show", "job", job))
    assert match is not None
    cluster.ask("scontrol", "update", f"JobId={job}", f"TimeLimit={60 * int(match[1]) + int(match[2]) + 1}")


def test_what_jobs_lack_is_said_before_any_is_submitted(cluster: Cluster, folder: Path) -> None:
    """Each by a probe; in one test, since all but the partition take a job."""

    def refused(*arguments: str, cwd: Path = folder) -> str:
        usual = ("run", "-m", "majority", "--task", str(folder / "toy"), "--sources", "eng_Latn", "--engine", "slurm")
        said = call(cluster, cwd, *usual, *arguments)
        assert (said.code, submitted(said)) == (2, []), said.err
        return said.err.splitlines()[-1]

    hidden, store = cluster.hidden, ("--store", f"{cluster.hidden}/store")
    old, work = _old(folder), hidden / "work"
    work.mkdir()
    (hidden / "plugin.py").write_text(PLUGIN)
    assert f"error: jobs do not see the store {hidden}/store of this machine; give" in refused(*store)
    outside = refused("--store", str(folder / "store"), cwd=work)
    assert f"error: jobs do not see the working folder {work}; start" in outside
    assert f"of the cluster: no file '{hidden}/plugin.py'" in refused("-m", f"{hidden}/plugin.py:Plugin")
    assert "error: jobs cannot start /no/python; give theirs" in refused("--job", "python=/no/python")
    bare = refused("--job", "python=/usr/bin/python3", "--job", "setup=unset PYTHONPATH")
    assert "error: jobs cannot import xlt_bench with /usr/bin/python3" in bare
    older = refused("--job", f"setup=export PYTHONPATH={old}")
    assert f"the plan is of xlt-bench {__version__}, but in {old}/xlt_bench is 0.0.9" in older
    assert "no partition 'shrot'; did you mean 'short'?" in refused("--job", "partition=shrot")
    assert "sbatch failed: Invalid generic resource (gres) specification" in refused("--job", "gpus=1")
    assert not list((folder / "xlt-results" / ".jobs").glob("passed-*")), "a probe that failed is asked again"


def _old(folder: Path) -> Path:
    """A folder for PYTHONPATH with this program as another version."""
    package = folder / "old" / "xlt_bench"
    package.mkdir(parents=True)
    for path in [*(ROOT / "xlt_bench").iterdir(), ROOT / "methods", ROOT / "baselines", ROOT / "leaderboard"]:
        (package / path.name).symlink_to(path)
    (package / "__init__.py").unlink()
    text = (ROOT / "xlt_bench" / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(__version__, "0.0.9"))
    return package.parent
