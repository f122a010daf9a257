"""The Ray engine beside a cluster in this process: what it submits, and what becomes of jobs that end early.

With a real cluster: tests/ray.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.plugins import GOOD, constant_method
from tests.support.ray_fakes import Behaviour, FakeCluster, dies_after, says
from tests.support.toy import write_files
from xlt_bench.engines import Means, carry_out, probe
from xlt_bench.engines.answers import Answer
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.ray import RayEngine, RayProfile
from xlt_bench.engines.ray import probe as ray_probe
from xlt_bench.engines.ray.cluster import Node
from xlt_bench.engines.ray.job import carry_out_job, look
from xlt_bench.engines.ray.report import Report
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.method import Activity, Silent
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request

DEATH = "the worker of a job on host ended with code -9 and said: WorkerCrashedError"


class Shown(Silent):
    """What went on, and what was noted, in order."""

    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.notes: list[str] = []

    def activity(self, activity: Activity) -> None:
        self.subjects.append(activity.subject)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Scene:
    """An engine with its cluster, and what it said."""

    def __init__(self, profile: RayProfile, cluster: FakeCluster, pack: int | None = None) -> None:
        self.cluster = cluster
        self.shown = Shown()
        self.said: list[str] = []
        self.engine = RayEngine(profile, self.shown, pack, self.said.append, lambda profile, stop_signals: cluster)

    def carry_out(self, experiment: Experiment) -> list[Record]:
        """Carry out with it; checks that jobs are stopped in the end, however it comes."""
        try:
            return carry_out(experiment, self.engine)
        finally:
            assert self.cluster.stopped[-1:] == [None]


@pytest.fixture
def request_of_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Four seeds of a method in a file."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path / "toy")
    Path("plugin.py").write_text(constant_method(GOOD, "        return Fitted(context.seed)"))
    return Request(method="plugin.py:Plugin", task="toy", sources="eng_Latn", targets="swh_Latn", seeds=(0, 1, 2, 3))


@pytest.fixture
def experiment(request_of_four: Request) -> Experiment:
    return prepare(request_of_four)


def scene(*behaviours: Behaviour, profile: RayProfile | None = None, pack: int | None = None) -> Scene:
    """On one node of two cores, whose jobs get two runs each unless the profile says otherwise."""
    return Scene(profile or RayProfile(cells_per_job=2), FakeCluster(behaviours=behaviours), pack)


def seeds(plans: Sequence[Plan]) -> list[list[int]]:
    return [[cell.seed for cell in plan.cells] for plan in plans]


def test_every_pack_is_a_job_and_records_come_back_through_the_store(experiment: Experiment) -> None:
    of_two = scene()
    records = of_two.carry_out(experiment)
    assert [record.cell.seed for record in records] == [0, 1, 2, 3]
    assert seeds(of_two.cluster.plans) == [[0, 1], [2, 3]]
    assert of_two.said == ["looking whether jobs see what they need, on 1 node of the cluster"]
    assert "for 4 runs, jobs: 0 running, 2 waiting" in of_two.shown.subjects
    assert "seed 3" in of_two.shown.subjects


def test_what_is_made_is_not_submitted_and_no_cluster_is_asked_for_it(experiment: Experiment) -> None:
    scene().carry_out(experiment)
    again = prepare(experiment.request)  # type: ignore[arg-type]
    idle = Scene(RayProfile(), FakeCluster())
    assert len(carry_out(again, idle.engine)) == 4
    assert idle.cluster.plans == idle.cluster.probed == []


def test_a_probe_is_not_repeated_on_a_node_that_passed(experiment: Experiment) -> None:
    first = scene(says(Report("host", code=2, complaint="error: no")), says(Report("host", code=2)))
    with pytest.raises(EngineError):
        first.carry_out(experiment)
    second = scene()
    second.carry_out(experiment)
    assert (first.cluster.probed, second.cluster.probed) == (["1"], [])


def test_a_job_whose_worker_dies_is_begun_again_with_what_is_missing(experiment: Experiment) -> None:
    dying = scene(dies_after(1), dies_after(0))
    records = dying.carry_out(experiment)
    assert [record.cell.seed for record in records] == [0, 1, 2, 3]
    assert sorted(seeds(dying.cluster.plans)) == [[0, 1], [1], [2, 3], [2, 3]]
    assert dying.said[1:] == [f"{DEATH}; it is begun again"] * 2
    plans = dying.cluster.plans
    assert {plan.created for plan in plans} == {plans[0].created}, "what it made before counts, also with --rerun"


def test_deaths_in_a_row_without_getting_further_are_limited_and_the_other_jobs_end(experiment: Experiment) -> None:
    profile = RayProfile(cells_per_job=2, retries=2)
    deadly = scene(dies_after(0), dies_after(2), dies_after(0), dies_after(0), profile=profile)
    with pytest.raises(EngineError) as error:
        deadly.carry_out(experiment)
    assert str(error.value) == (
        f"2 runs not made: {DEATH}, 3 times in a row without getting further; the same command goes on with them"
    )
    assert seeds(deadly.cluster.plans) == [[0, 1], [2, 3], [0, 1], [0, 1]]
    assert len(prepare(experiment.request).stored) == 2  # type: ignore[arg-type]


def test_a_checkpoint_further_counts_as_getting_further(experiment: Experiment) -> None:
    folder = experiment.setup.store.folder / ".checkpoints"
    fingerprint = experiment.cells[0].fingerprint

    def leaves_a_checkpoint(name: str) -> Behaviour:
        def behave(plan: Plan) -> list[Report]:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{fingerprint}-{name}.safetensors").touch()
            return [Report("host", code=-9)]

        return lambda plan: iter(behave(plan))

    profile = RayProfile(cells_per_job=4, retries=1)
    slow = scene(*[leaves_a_checkpoint(name) for name in "abcd"], profile=profile)
    assert len(slow.carry_out(experiment)) == 4
    assert len(slow.cluster.plans) == 5


def test_what_a_worker_refuses_is_said_and_not_tried_again(experiment: Experiment) -> None:
    refusal = Report("host", code=2, complaint="error: the plan is of task_hash 1, but here it is 2")
    refusing = scene(says(refusal))
    with pytest.raises(
        EngineError, match="2 runs not made: the worker of a job on host ended with code 2 and said: er"
    ):
        refusing.carry_out(experiment)
    assert len(refusing.cluster.plans) == 2


def test_a_worker_that_had_to_leave_is_begun_again(experiment: Experiment) -> None:
    told_to_leave = scene(says(Report("host", code=75)))
    assert len(told_to_leave.carry_out(experiment)) == 4
    assert len(told_to_leave.cluster.plans) == 3


def test_records_that_do_not_appear_are_missed_after_a_while(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlt_bench.engines.ray.jobs._GRACE_SECONDS", 0.0)
    with pytest.raises(
        EngineError, match="a worker on host has ended, and its Records do not appear in the store here"
    ):
        scene(says(Report("host", code=0))).carry_out(experiment)


def test_what_workers_do_and_note_comes_back_to_the_terminal(experiment: Experiment) -> None:
    def talks(plan: Plan) -> list[Report]:
        return [
            Report("host"),
            Report("host", Answer(doing="seed 0, step 5 of 9").line),
            Report("host", Answer(note="seed 0 goes on from its checkpoint").line),
            Report("host", code=2),
        ]

    talking = scene(lambda plan: iter(talks(plan)), profile=RayProfile(cells_per_job=4))
    with pytest.raises(EngineError):
        talking.carry_out(experiment)
    assert "for 4 runs, jobs: 1 running, 0 waiting; host: seed 0, step 5 of 9" in talking.shown.subjects
    assert talking.shown.notes == ["host: seed 0 goes on from its checkpoint"]


def test_jobs_are_stopped_when_nobody_wants_more_records(experiment: Experiment) -> None:
    cut = scene()
    records = cut.engine.carry_out(experiment, None)
    next(records)
    records.close()  # type: ignore[attr-defined]
    assert cut.cluster.stopped == [None]


@pytest.mark.parametrize(
    ("profile", "pack", "nodes", "sizes"),
    [
        (RayProfile(), None, [{"CPU": 8.0}], [1, 1, 1, 1]),
        (RayProfile(gpus=1.0), None, [{"CPU": 8.0, "GPU": 1.0}], [4]),
        (RayProfile(gpus=1.0), None, [{"CPU": 8.0, "GPU": 1.0}] * 2, [2, 2]),
        (RayProfile(gpus=0.5), None, [{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0}], [2, 2]),
        (RayProfile(gpus=1.0), 3, [{"CPU": 8.0, "GPU": 1.0}], [3, 1]),
        (RayProfile(gpus=1.0, cells_per_job=1), None, [{"CPU": 8.0, "GPU": 1.0}], [1, 1, 1, 1]),
    ],
)
def test_packs_follow_the_device_of_the_jobs_and_leave_no_gpu_idle(
    request_of_four: Request, profile: RayProfile, pack: int | None, nodes: list[dict[str, float]], sizes: list[int]
) -> None:
    machines = [Node(str(place), "host", resources, str(place)) for place, resources in enumerate(nodes)]
    refused = says(Report("host", code=2))
    placed = Scene(profile, FakeCluster(machines, behaviours=[refused] * 4), pack)
    with pytest.raises(EngineError):
        placed.carry_out(prepare(placed.engine.adapted(request_of_four)))
    assert [len(plan.cells) for plan in placed.cluster.plans] == sizes
    assert {plan.request.device for plan in placed.cluster.plans} == {"cuda" if profile.gpus else "cpu"}
    able = [node.id for node in machines if not profile.gpus or "GPU" in node.resources]
    assert placed.cluster.probed == able, "nodes that take no job are not looked at"


def test_jobs_with_a_gpu_have_its_precision_and_no_other_device(request_of_four: Request) -> None:
    with_gpu, without = scene(profile=RayProfile(gpus=0.5)).engine, scene().engine
    assert with_gpu.adapted(request_of_four).precision == "bf16"
    assert without.adapted(request_of_four) == replace(request_of_four, device="cpu")
    with pytest.raises(
        ConfigError, match=r"--device cpu: jobs ask for 0\.5 GPUs; leave --device out, and say --job gpu"
    ):
        with_gpu.adapted(replace(request_of_four, device="cpu"))


def test_a_job_that_no_node_takes_is_refused_with_what_there_is(experiment: Experiment) -> None:
    nodes = [Node("1", "small", {"CPU": 2.0}, "1"), Node("2", "large", {"CPU": 8.0, "GPU": 1.0}, "2")]
    greedy = Scene(RayProfile(cpus=16.0, gpus=1.0, resources={"disk": 1.0}), FakeCluster(nodes))
    with pytest.raises(ConfigError) as error:
        greedy.carry_out(experiment)
    assert "asks for CPU 16 (no node has more than 8), GPU 1 (no node has more than 1), disk 1 (no node" in str(
        error.value
    )
    assert greedy.cluster.plans == greedy.cluster.probed == []


REFUSALS = {
    "folder": ((None, Report("far", code=111)), r"jobs do not see the working folder /.*; start from a folder that"),
    "store": ((None, Report("far", code=112)), r"jobs do not see the store /.*xlt-results of this machine; give a"),
    "answer": ((None, Report("far", code=0)), r"jobs do not see the store /.*xlt-results of this machine"),
    "package": (
        (None, Report("far", code=1, complaint="No module named xlt_bench")),
        "on far of the cluster: jobs cannot start xlt_bench: No module named xlt_bench; install it in the environment",
    ),
    "plan": (("no file 'plugin.py'", Report("far", code=0)), "on far of the cluster: no file 'plugin.py'"),
}


@pytest.mark.parametrize("lack", REFUSALS)
def test_what_one_node_lacks_is_said_before_anything_is_submitted(
    experiment: Experiment, lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_GRACE_SECONDS", 0.0)
    outcome, message = REFUSALS[lack]
    nodes = [Node("1", "near", {"CPU": 2.0}, "1"), Node("2", "far", {"CPU": 2.0}, "2")]
    lacking = Scene(RayProfile(), FakeCluster(nodes, looks={"2": outcome}))
    with pytest.raises(ConfigError, match=message):
        lacking.carry_out(experiment)
    assert lacking.cluster.plans == []
    assert len(lacking.cluster.probed) == 2
    assert not list(Path("xlt-results", ".jobs").glob("probe-*")), "nothing is left of a probe"


def test_a_node_that_is_busy_with_other_work_is_not_waited_for(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_probe, "_PATIENCE_SECONDS", 0.0)
    nodes = [Node("1", "idle", {"CPU": 2.0}, "1"), Node("2", "busy", {"CPU": 2.0}, "2")]
    busy = Scene(RayProfile(), FakeCluster(nodes, looks={"2": None}))
    assert len(busy.carry_out(experiment)) == 4
    assert busy.said[1:] == ["1 node busy with other work, not looked at: busy"]
    assert busy.cluster.stopped == [[2], None]


def test_a_job_passes_on_what_its_worker_says_and_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\ncat "$3"; echo " $OMP_NUM_THREADS"\necho "error: no data" >&2; exit 2\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    begun, line, end = [Report(**plain) for plain in carry_out_job("the plan", {"OMP_NUM_THREADS": "3"})]
    assert begun == Report(begun.host)
    assert line == Report(begun.host, "the plan 3\n")
    assert end == Report(begun.host, code=2, complaint="error: no data")


def test_the_worker_of_a_job_that_is_cancelled_is_told_to_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\ntrap 'touch left; exit 75' TERM\necho begun\nwhile true; do sleep 0.05; done\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.chdir(tmp_path)
    job = carry_out_job("the plan", {})
    assert [next(job).get("line"), next(job).get("line")] == [None, "begun\n"]
    job.close()  # type: ignore[attr-defined]
    assert Path("left").exists()


def test_a_look_ends_with_what_is_not_seen(tmp_path: Path) -> None:
    def code(folder: Path, plan: Path) -> int:
        end = Report(**list(look(str(folder), str(plan), str(tmp_path / "answer"), {}))[-1])
        assert end.code is not None
        return end.code

    assert code(tmp_path / "none", tmp_path / "plan.json") == 111
    assert code(tmp_path, tmp_path / "plan.json") == 112


def test_a_machine_without_ray_and_an_address_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConfigError, match="--threads is of this process; jobs compute with the cores they ask for"):
        RayEngine.of(Means(threads=2))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"^--engine ray needs Ray; install it with: pip install ray$"):
        RayEngine.of(Means())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    with pytest.raises(ConfigError, match=r"no cluster answers at 127\.0\.0\.1:9: .*refused"):
        RayEngine.of(Means(job=("address=127.0.0.1:9",)))
    assert "ray" not in sys.modules, "it is imported when there is work for it"
