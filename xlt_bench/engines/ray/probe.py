"""The probe: a short job on every node before anything is submitted says whether jobs see what they need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from xlt_bench.engines import probe
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.ray.cluster import Cluster, Node
from xlt_bench.engines.ray.profile import RayProfile
from xlt_bench.engines.ray.report import Report
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.io.paths import is_file
from xlt_bench.progress.lines import counted

_PATIENCE_SECONDS = 60.0
"""After the first answer: nodes that are busy with others' work are not waited for."""


def able_nodes(nodes: Sequence[Node], profile: RayProfile) -> list[Node]:
    """Nodes that can take a job; ConfigError where none is large enough."""
    able = [node for node in nodes if _room(node, profile) > 0]
    if able or not nodes:
        return able
    lacks = [
        f"{name} {amount:g} (no node has more than {max(node.resources.get(name, 0) for node in nodes):g})"
        for name, amount in profile.demand.items()
    ]
    raise ConfigError(
        f"no node of the cluster takes a job, which asks for {', '.join(lacks)}; ask for less with --job cpus=, gpus= "
        "or [resources], or add a node"
    )


def room(nodes: Sequence[Node], profile: RayProfile) -> int:
    """Jobs that run at the same time on nodes where nothing else does."""
    return sum(_room(node, profile) for node in nodes)


class NodeProbe:
    """Probes of a store.

    Args:
        folder: of the store's jobs.
        profile: of the jobs.
        cluster: whose nodes are probed.
        say: is told that there is a probe.
    """

    def __init__(self, folder: Path, profile: RayProfile, cluster: Cluster, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._profile = profile
        self._cluster = cluster
        self._say = say

    def check(self, plan: Plan, nodes: Sequence[Node]) -> None:
        """Let a job on each node prepare a plan, unless that was done with the same version, task and plug-in file.

        Raises:
            ConfigError: a node does not see the store or the working folder, or cannot carry out the plan.
            EngineError: a probe ended without an answer.
        """
        jobs = {key: value for key, value in asdict(self._profile).items() if key in ("cpus", "gpus", "resources")}
        passed = {
            node.id: probe.passed(self._folder, plan, {"ray node": node.lasting_name, "jobs": jobs}) for node in nodes
        }
        nodes = [node for node in nodes if not passed[node.id].exists()]
        if not nodes:
            return
        self._say(f"looking whether jobs see what they need, on {counted(len(nodes), 'node')} of the cluster")
        with probe.written_plan(self._folder, plan) as path:
            for node in self._answered(plan, path, nodes):
                passed[node.id].touch()

    def _answered(self, plan: Plan, path: Path, nodes: Sequence[Node]) -> list[Node]:
        """The nodes of which all is well; those that are busy are not among them."""
        answers = {node.id: path.with_name(f"answer-{node.id}.json") for node in nodes}
        looking = {self._cluster.look(node, plan.folder, path, answers[node.id]): node for node in nodes}
        answered: list[Node] = []
        deadline: float | None = None
        while looking and (deadline is None or time.monotonic() < deadline):
            for number, report in self._cluster.reports():
                if report.code is not None:
                    node = looking.pop(number)
                    self._check(node, report, plan, answers[node.id])
                    answered.append(node)
                    deadline = deadline or time.monotonic() + _PATIENCE_SECONDS
        if looking:
            hosts = ", ".join(sorted(node.host for node in looking.values())[:4])
            self._say(f"{counted(len(looking), 'node')} busy with other work, not looked at: {hosts}")
            self._cluster.stop(list(looking))
        return answered

    def _check(self, node: Node, report: Report, plan: Plan, answer: Path) -> None:
        if is_file(answer) or (report.code == 0 and probe.has_appeared(answer)):
            return probe.check_answer(answer)
        host = report.host or node.host
        if report.code == probe.NO_FOLDER:
            raise probe.unseen_folder(plan)
        if report.code in (probe.NO_STORE, 0):
            raise probe.unseen_store(plan)
        if report.code == 1:
            raise ConfigError(
                f"on {host} of the cluster: jobs cannot start xlt_bench: {report.complaint}; install it in the "
                "environment in which `ray start` is called there"
            )
        raise EngineError(
            f"the probe on {host} ended without an answer (code {report.code} {report.complaint}); try again"
        )


def _room(node: Node, profile: RayProfile) -> int:
    return min(int(node.resources.get(name, 0) / amount + 1e-9) for name, amount in profile.demand.items())
