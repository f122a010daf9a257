"""A real Ray: a run survives a worker that is killed, what jobs lack is said first, and nothing is left running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.commands import Output, process_environment
from tests.support.ray_cluster import Cluster, missing, wait_for
from tests.support.toy import write_files
from xlt_bench import __version__
from xlt_bench.engines import Means, carry_out
from xlt_bench.engines.ray import RayEngine
from xlt_bench.errors import ConfigError
from xlt_bench.records.store import Store
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

pytestmark = pytest.mark.ray

STEPS = 60
PLUGIN = '''
"""A soft prompt whose fits note each step; with a file `hold`, the first one is slow from step 20 on."""
import os
import time
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.methods.spt import SPT


@dataclass(frozen=True, kw_only=True)
class Plugin(SPT):
    def loss(self, outputs, batch):
        steps = Path(f"steps-{os.getpid()}")
        with steps.open("a") as file:
            file.write(".")
        if Path("hold").exists() and steps.stat().st_size == 20:
            Path("hold").rename("held")
            Path("held").write_text(f"{os.getpid()} {os.getppid()}")
        if Path("held").exists() and Path("held").read_text().startswith(f"{os.getpid()} "):
            time.sleep(1)
        return super().loss(outputs, batch)
'''
HASTE = {"RAY_worker_niceness": "0"}
"""Ray's workers give way to every other process: beside busy ones a test would take many minutes."""
NOISE = ("raylet", "ray::", "core_worker", "usage stats", "Usage stats", "Traceback", "WARNING", "token")


@pytest.fixture(autouse=True)
def installed() -> None:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """For what commands write outside the working folder; of a short name, since sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="xlt-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path, tiny_backbone_folder: Path) -> Path:
    """A working folder with a task, a backbone and a plug-in."""
    write_files(tmp_path / "toy")
    shutil.copytree(tiny_backbone_folder, tmp_path / "tiny")
    (tmp_path / "plugin.py").write_text(PLUGIN)
    return tmp_path


def command(*further: str) -> list[str]:
    return [
        *(sys.executable, "-m", "xlt_bench", "run", "-m", "plugin.py:Plugin", "--task", "toy", "--backbone", "tiny"),
        *("--sources", "eng_Latn", "--targets", "swh_Latn,kat_Geor", "--seeds", "2", "--steps", str(STEPS), *further),
    ]


class Commands:
    """Commands as of another terminal each, in a folder; none outlives the test."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, folder: Path, arguments: Sequence[str], **environment: str) -> subprocess.Popen[str]:
        """Start one."""
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=process_environment(**{"COLUMNS": "200", **self._environment, **environment}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def commands() -> Iterator[Commands]:
    commands = Commands(HASTE)
    yield commands
    commands.kill()


def end(process: subprocess.Popen[str]) -> Output:
    """What a command printed, once it has ended; it is not noise of Ray."""
    out, err = process.communicate(timeout=240)
    for word in NOISE:
        assert word not in out + err
    return Output(process.returncode, out, err)


def held(folder: Path, process: subprocess.Popen[str]) -> tuple[int, int]:
    """The worker that waits in a step, and its parent, which is Ray's."""
    path = folder / "held"
    wait_for(lambda: process.poll() is not None or (path.exists() and path.read_text()), "a fit under way")
    assert process.poll() is None, process.communicate()
    worker, parent = map(int, path.read_text().split())
    return worker, parent


def running_of(*folders: Path) -> list[str]:
    """Command lines of processes that name one of these folders, or work in one."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                named = line + f" {(entry / 'cwd').readlink()}"
            except OSError:
                continue
            if line and any(str(folder) in named for folder in folders):
                lines.append(line)
    return lines


def manifests(store: Path) -> dict[str, dict[str, object]]:
    """The Records of a store, without what no two runs have alike."""
    records, damaged = Store(store).records()
    assert not damaged
    plain = {record.cell.fingerprint: record.as_json() for record in records}
    for record in plain.values():
        for volatile in ("timing", "created", "peak_memory_bytes"):
            del record[volatile]
    return plain


def test_a_run_goes_on_when_a_worker_is_killed_and_equals_a_local_one(
    folder: Path, temporary: Path, commands: Commands
) -> None:
    """On a cluster of two workers that the command starts itself."""
    (folder / "hold").touch()
    process = commands.start(folder, command("--engine", "ray"), TMPDIR=str(temporary))
    worker, parent = held(folder, process)
    os.kill(parent, signal.SIGKILL)
    said = end(process)
    assert said.code == 0, said.err
    assert re.search(
        r"the worker of a job on \S+ ended with code -9 and said: WorkerCrashedError; it is begun a", said.err
    )
    went_on = re.search(rf": seed \d goes on from its checkpoint at step (\d+) of {STEPS}", said.err)
    assert went_on is not None, said.err
    assert "for 2 runs, jobs: " in said.err
    steps = {int(path.name.partition("-")[2]): path.stat().st_size for path in folder.glob("steps-*")}
    assert len(steps) == 3
    assert steps[worker] == int(went_on[1]) >= 20
    assert sum(steps.values()) == 2 * STEPS, "no step was made twice"

    wait_for(lambda: not running_of(folder, temporary), "the end of all processes")
    assert not list(temporary.glob("xlt-ray-*")), "what a cluster writes goes with it"
    assert not list((folder / "xlt-results").glob(".checkpoints/*.safetensors"))
    local = end(commands.start(folder, command("--store", "local", "--threads", "1")))
    assert local.code == 0, local.err
    assert manifests(folder / "xlt-results") == manifests(folder / "local")
    for fingerprint in manifests(folder / "local"):
        stores = [Store(folder / name).folder_of(fingerprint) for name in ("xlt-results", "local")]
        assert len({(path / "predictions.parquet").read_bytes() for path in stores}) == 1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes: one as here but for a folder that it does not see, one with another version of the project."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    cluster = Cluster(HASTE)
    try:
        cluster.start_head({"current": 1})
        cluster.start_node({"old": 1}, {"PYTHONPATH": str(_old(tmp_path_factory.mktemp("old")))})
        yield cluster
    finally:
        cluster.stop()


@pytest.mark.parametrize(("stop_signal", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_who_is_stopped_leaves_nothing_running_and_a_checkpoint(
    cluster: Cluster, folder: Path, commands: Commands, stop_signal: signal.Signals, code: int
) -> None:
    (folder / "hold").touch()
    (folder / "ray.toml").write_text(f'address = "{cluster.address}"\n[resources]\ncurrent = 0.5\n')
    process = commands.start(folder, command("--engine", "ray", "--profile", "ray.toml"), **cluster.environment)
    held(folder, process)
    process.send_signal(stop_signal)
    said = end(process)
    assert said.code == code, said.err
    assert "the same command goes on" in said.err
    assert not running_of(folder), "the command waits for its workers"
    assert list((folder / "xlt-results").glob(".checkpoints/*.safetensors"))
    assert Store(folder / "xlt-results").records() == ([], [])


@pytest.fixture
def connected(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process may talk to the cluster, until the test has ended."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    import ray  # reads these when it is imported

    yield
    ray.shutdown()


@pytest.mark.usefixtures("connected")
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


def _old(folder: Path) -> Path:
    """A folder for PYTHONPATH with this program as another version."""
    package = folder / "xlt_bench"
    package.mkdir(parents=True)
    for path in [*(ROOT / "xlt_bench").iterdir(), ROOT / "methods", ROOT / "baselines", ROOT / "leaderboard"]:
        (package / path.name).symlink_to(path)
    (package / "__init__.py").unlink()
    text = (ROOT / "xlt_bench" / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(__version__, "0.0.9"))
    return folder
