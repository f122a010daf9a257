"""A real Ray: a run survives a worker that is killed, what jobs lack is said first, and nothing is left running."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.ray_cluster import Cluster, wait_for
from tests.support.ray_commands import (
    PLUGIN,
    STEPS,
    Commands,
    checkpoints,
    end,
    end_quietly,
    run,
    running_in,
    slow_fit,
    steps_by_worker,
)
from tests.support.records import manifests
from xlt_bench import __version__
from xlt_bench.engines import Means, carry_out
from xlt_bench.engines.ray import RayEngine
from xlt_bench.errors import ConfigError
from xlt_bench.records.store import Store
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

pytestmark = pytest.mark.ray


def test_a_run_goes_on_when_a_worker_is_killed_and_equals_a_local_one(
    folder: Path, temporary: Path, commands: Commands
) -> None:
    """On a cluster of two workers that the command starts itself."""
    (folder / "hold").touch()
    process = commands.start(folder, run("--engine", "ray"), TMPDIR=str(temporary))
    worker, parent = slow_fit(folder, process)
    os.kill(parent, signal.SIGKILL)
    said = end_quietly(process)
    assert said.code == 0, said.err
    assert re.search(
        r"the worker of a job on \S+ ended with code -9 and said: WorkerCrashedError; it is begun a", said.err
    )
    went_on = re.search(rf": seed \d goes on from its checkpoint at step (\d+) of {STEPS}", said.err)
    assert went_on is not None, said.err
    steps = steps_by_worker(folder)
    assert len(steps) == 3
    assert steps[worker] == int(went_on[1]) >= 20
    assert sum(steps.values()) == 2 * STEPS, "no step was made twice"

    wait_for(lambda: not running_in(folder, temporary), "the end of all processes")
    assert not list(temporary.glob("xlt-ray-*")), "what a cluster writes goes with it"
    assert not checkpoints(folder)
    local = end(commands.start(folder, run("--store", "local", "--threads", "1")))
    assert local.code == 0, local.err
    assert manifests(folder / "xlt-results") == manifests(folder / "local")
    for fingerprint in manifests(folder / "local"):
        stores = [Store(folder / name).folder_of(fingerprint) for name in ("xlt-results", "local")]
        assert len({(path / "predictions.parquet").read_bytes() for path in stores}) == 1


@pytest.mark.parametrize(("stop_signal", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_who_is_stopped_leaves_nothing_running_and_a_checkpoint(
    cluster: Cluster, folder: Path, profile: Path, commands: Commands, stop_signal: signal.Signals, code: int
) -> None:
    (folder / "hold").touch()
    process = commands.start(folder, run("--engine", "ray", "--profile", str(profile)), **cluster.environment)
    slow_fit(folder, process)
    process.send_signal(stop_signal)
    said = end_quietly(process)
    assert said.code == code, said.err
    assert "the same command goes on" in said.err
    assert not running_in(folder), "the command waits for its workers"
    assert checkpoints(folder)
    assert Store(folder / "xlt-results").records() == ([], [])


@pytest.fixture
def connected(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process may talk to the cluster, until the test has ended."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    import ray  # reads these when it is imported

    yield
    ray.shutdown()


@pytest.mark.usefixtures("old_node", "connected")
def test_what_jobs_lack_is_said_before_any_begins(
    cluster: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Request(method="majority", task=str(folder / "toy"), sources="eng_Latn", targets="swh_Latn", seeds=(0,))

    def refused(node: str, *job: str, cwd: Path = folder, **changes: Any) -> str:
        (folder / "ray.toml").write_text(f"address = '{cluster.address}'\n[resources]\n{node} = 0.5\n")
        monkeypatch.chdir(cwd)
        engine = RayEngine.of(Means(profile=folder / "ray.toml", job=job))
        with pytest.raises(ConfigError) as error:
            carry_out(prepare(engine.adapted(replace(usual, **changes))), engine)
        return str(error.value)

    with monkeypatch.context() as strange:
        strange.setenv("RAY_AUTH_TOKEN", "0" * 64)
        assert f"the cluster at {cluster.address} asks for a token; set RAY_AUTH_MODE=token" in refused("current")
    older = refused("old")
    assert re.search(rf"on \S+ of the cluster: the plan is of xlt-bench {__version__}, but in /\S+ is 0\.0\.9", older)
    assert "CPU 2 (no node has more than 1)" in refused("current", "cpus=2")
    assert "GPU 0.5 (no node has more than 0)" in refused("current", "gpus=0.5")
    if os.geteuid() == 0:
        hidden, work = cluster.hidden, cluster.hidden / "work"
        work.mkdir()
        (hidden / "plugin.py").write_text(PLUGIN)
        assert f"jobs do not see the store {hidden}/store" in refused("current", store=hidden / "store")
        outside = refused("current", cwd=work, store=folder / "store")
        assert f"jobs do not see the working folder {work}; start" in outside
        method = refused("current", method=f"{hidden}/plugin.py:Plugin", backbone=str(folder / "tiny"))
        assert f"of the cluster: no file '{hidden}/plugin.py'" in method
    assert not list(folder.glob("*/.jobs/passed-*")), "a probe that failed is asked again"
