"""Several workers of one machine, here on its CPU: they share the cells, and make those of one that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.plugins import GOOD, constant_method
from tests.support.toy import write_files
from xlt_bench.engines import Means, carry_out
from xlt_bench.engines.gpus import GpusEngine, visible_gpus
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.io.stop_signals import STOPPED_EXIT_CODE
from xlt_bench.method import Activity, Silent
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

MEETING = """
        import os, signal, time
        from pathlib import Path
        worker = os.environ["WORKER"]
        with open(worker, "a") as file:
            file.write(f"{context.seed}\\n")
        while not (Path("first").exists() and Path("second").exists()):
            time.sleep(0.01)
        if os.environ["DIES"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return Fitted(context.seed)"""
"""Of a method: each worker notes its seeds, and waits for the other one."""


ENDLESS = """
        import os, time
        from pathlib import Path
        Path("started").write_text(str(os.getpid()))
        while True:
            time.sleep(0.01)"""
"""Of a method that goes on, and says nothing of it, until its process is stopped."""

PARENT = """
import sys
from xlt_bench.engines import carry_out
from xlt_bench.engines.gpus import GpusEngine
from xlt_bench.method import Silent
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request
request = Request(method="plugin.py:Plugin", task="toy", sources="eng_Latn", targets="swh_Latn", seeds=(0,))
carry_out(prepare(request), GpusEngine({"only": {}}, Silent(), None, print))
"""


class Shown(Silent):
    """What went on, in order."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def activity(self, activity: Activity) -> None:
        self.subjects.append(activity.subject)


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """Four seeds of a method that notes who fitted it."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "toy")
    Path("plugin.py").write_text(constant_method(GOOD, MEETING))
    return prepare(
        Request(method="plugin.py:Plugin", task="toy", sources="eng_Latn", targets="swh_Latn", seeds=(0, 1, 2, 3))
    )


def engine(progress: Shown, said: list[str], **dies: str) -> GpusEngine:
    workers: Mapping[str, Mapping[str, str]] = {
        name: {"WORKER": name, "DIES": dies.get(name, "")} for name in ("first", "second")
    }
    return GpusEngine(workers, progress, None, said.append)


def seeds(worker: str) -> list[str]:
    return Path(worker).read_text().split()


def test_workers_share_the_cells_and_make_those_of_one_that_dies(experiment: Experiment) -> None:
    said: list[str] = []
    shown = Shown()
    records = carry_out(experiment, engine(shown, said, second="yes"))
    assert [record.cell.seed for record in records] == [0, 1, 2, 3]
    assert all(record.complete for record in records)
    assert sorted(seeds("first")) == ["0", "1", "2", "3"], "one process each, and nothing twice"
    assert seeds("second") == ["1"], "it began with a share of its own"
    assert said == ["the worker of second ended with code -9; the others made its runs"]
    assert shown.subjects[0] == "for 4 runs: first: starting; second: starting"
    assert shown.subjects.count("seed 1") == 1


def test_what_no_worker_can_make_is_said_with_its_reason(experiment: Experiment) -> None:
    path = Path("toy", "swh_Latn", "test.tsv")
    path.write_text(path.read_text().replace("\tfood\t", "\tfood\tno "))
    with pytest.raises(EngineError) as error:
        carry_out(experiment, engine(Shown(), []))
    message = str(error.value)
    assert message.startswith("4 runs not made: the worker of first ended with code 2 and said: error: the plan is of ")
    assert "the worker of second ended with code 2" in message


def wait_for(condition: Callable[[], bool]) -> None:
    """For 4 minutes at most: an idle machine takes seconds to start a worker, a busy one far longer."""
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.mark.parametrize("stop_signal", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent_and_blame_no_method(experiment: Experiment, stop_signal: signal.Signals) -> None:
    Path("plugin.py").write_text(constant_method(GOOD, ENDLESS))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = Path("started")
    with subprocess.Popen([sys.executable, "-c", PARENT], env=environment) as parent:
        try:
            wait_for(lambda: started.exists() and started.read_text() != "")
            parent.send_signal(stop_signal)
            code = parent.wait(120)
        finally:
            parent.kill()
    worker = int(started.read_text())
    if stop_signal is signal.SIGTERM:
        assert code == STOPPED_EXIT_CODE
        assert ended(worker), "the parent waits for its workers"
    wait_for(lambda: ended(worker))
    assert experiment.setup.store.records() == ([], [])


def test_a_machine_without_gpus_and_options_that_mean_nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ConfigError, match="--engine gpus: torch sees no CUDA device; leave it out"):
        GpusEngine.of(Means())
    with pytest.raises(ConfigError, match="--threads is of work on a CPU"):
        GpusEngine.of(Means(threads=2))
    with pytest.raises(ConfigError, match="they need --engine slurm"):
        GpusEngine.of(Means(job=("time=5",)))


def test_every_gpu_that_is_seen_gets_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8f2a")
    made = GpusEngine.of(Means())
    assert [environment["CUDA_VISIBLE_DEVICES"] for environment in made.workers.values()] == ["3", "GPU-8f2a"]
    assert made.adapted(Request()).device == "cuda"
    with pytest.raises(ConfigError, match="--device cuda:1: --engine gpus uses all GPUs that it sees"):
        made.adapted(Request(device="cuda:1"))
