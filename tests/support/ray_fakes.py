"""A cluster in this process, in place of Ray: plans are carried out here, or end as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xlt_bench.engines.answers import Answer
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.ray.cluster import Node
from xlt_bench.engines.ray.report import Report
from xlt_bench.engines.worker import carry_out_plan
from xlt_bench.method import Silent

Behaviour = Callable[[Plan], Iterator[Report]]
"""What is said of a job that carries out a plan."""


def complete(plan: Plan) -> Iterator[Report]:
    """A worker that makes all Records."""
    for record in carry_out_plan(plan, Silent()):
        yield Report("host", Answer(record.cell.fingerprint, record.status).line)
    yield Report("host", code=0)


def dies_after(records: int) -> Behaviour:
    """A worker that makes so many Records and is killed."""

    def behave(plan: Plan) -> Iterator[Report]:
        made = carry_out_plan(plan, Silent())
        for _ in range(records):
            record = next(made)
            yield Report("host", Answer(record.cell.fingerprint, record.status).line)
        yield Report("host", code=-9, complaint="WorkerCrashedError")

    return behave


def says(report: Report) -> Behaviour:
    """A worker of which this alone is said."""
    return lambda plan: iter([report])


@dataclass
class FakeCluster:
    """See `Cluster`.

    Attributes:
        nodes: the machines.
        behaviours: of the jobs in the order in which they are submitted; later ones are complete.
        looks: node id -> what a probe there answers, and what is said of it; None: nothing is ever said.
        plans: that were submitted.
        probed: ids of nodes that were looked at.
        stopped: what was cancelled; None: everything.
    """

    nodes: Sequence[Node] = (Node("1", "host", {"CPU": 2.0}, "1"),)
    behaviours: Sequence[Behaviour] = ()
    looks: dict[str, tuple[str | None, Report] | None] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    probed: list[str] = field(default_factory=list)
    stopped: list[Sequence[int] | None] = field(default_factory=list)
    _streams: dict[int, Iterator[Report]] = field(default_factory=dict)
    _count: int = 0

    def submit(self, plan: str) -> int:
        """See `Cluster`."""
        self.plans.append(Plan.from_text(plan))
        place = len(self.plans) - 1
        behave = self.behaviours[place] if place < len(self.behaviours) else complete
        return self._added(behave(self.plans[-1]))

    def look(self, node: Node, folder: Path, plan: Path, answer: Path) -> int:
        """See `Cluster`."""
        assert plan.exists()
        self.probed.append(node.id)
        outcome = self.looks.get(node.id, ("", Report(node.host, code=0)))
        if outcome is None:
            return self._added(iter([]))
        error, report = outcome
        if error is not None:
            answer.write_text(json.dumps({"error": error or None, "host": node.host}))
        return self._added(iter([report]))

    def reports(self) -> list[tuple[int, Report]]:
        """See `Cluster`."""
        said = [(number, next(stream, None)) for number, stream in list(self._streams.items())]
        return [(number, report) for number, report in said if report is not None]

    def stop(self, jobs: Sequence[int] | None = None) -> None:
        """See `Cluster`."""
        self.stopped.append(jobs)

    def _added(self, stream: Iterator[Report]) -> int:
        self._count += 1
        self._streams[self._count] = stream
        return self._count
