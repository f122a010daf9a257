"""The cluster that Ray is connected to: a job is a task of Ray, what is said of it comes as a stream."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlt_bench.engines.ray.cluster import Node
from xlt_bench.engines.ray.job import carry_out_job, look
from xlt_bench.engines.ray.profile import RayProfile
from xlt_bench.engines.ray.report import Report
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.io.texts import shortened

_POLL_SECONDS = 1.0
_STOP_SECONDS = 75.0
"""For cancelled jobs to end: their workers have 60 to write checkpoints."""
_KILLED = -int(signal.SIGKILL)


class RayCluster:
    """The cluster that Ray is connected to. See `Cluster`.

    Args:
        profile: what every job asks for.
        stop_signals: as of `connect`.
    """

    def __init__(self, profile: RayProfile, stop_signals: StopSignals) -> None:
        import ray

        self._ray = ray
        self._profile = profile
        self._stop_signals = stop_signals
        self._environment = {"OMP_NUM_THREADS": str(profile.threads)}
        self._streams: dict[Any, int] = {}
        self._count = 0

    @property
    def nodes(self) -> Sequence[Node]:
        """See `Cluster`."""
        local = self._profile.address == "local"
        return [
            Node(
                node["NodeID"],
                node["NodeManagerHostname"],
                node["Resources"],
                node["NodeManagerHostname"] if local else node["NodeID"],
            )
            for node in self._ray.nodes()
            if node["Alive"]
        ]

    def submit(self, plan: str) -> int:
        """See `Cluster`."""
        return self._added(self._remote(carry_out_job).remote(plan, self._environment))

    def look(self, node: Node, folder: Path, plan: Path, answer: Path) -> int:
        """See `Cluster`."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        look_on_node = self._remote(look).options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        )
        return self._added(look_on_node.remote(str(folder), str(plan), str(answer), self._environment))

    def reports(self) -> list[tuple[int, Report]]:
        """See `Cluster`."""
        if not self._streams:
            return []
        streams = list(self._streams)
        with self._stop_signals.deferred():  # Ray would put a SystemExit of its own in place of theirs
            ready, _ = self._ray.wait(streams, num_returns=len(streams), timeout=0)
            if not ready:
                ready, _ = self._ray.wait(streams, num_returns=1, timeout=_POLL_SECONDS)
            reports = [(self._streams[stream], self._report(stream)) for stream in ready]
        return [(job, report) for job, report in reports if report is not None]

    def stop(self, jobs: Sequence[int] | None = None) -> None:
        """See `Cluster`."""
        stopped = {stream for stream, job in self._streams.items() if jobs is None or job in jobs}
        for stream in stopped:
            self._ray.cancel(stream)
        deadline = time.monotonic() + _STOP_SECONDS
        while stopped.intersection(self._streams) and time.monotonic() < deadline:
            self.reports()

    def _remote(self, function: Any) -> Any:
        # the engine itself begins again what dies, so that it knows what was made meanwhile
        return self._ray.remote(
            num_cpus=self._profile.cpus,
            num_gpus=self._profile.gpus,
            resources=dict(self._profile.resources),
            num_returns="streaming",
            max_retries=0,
        )(function)

    def _added(self, stream: Any) -> int:
        self._count += 1
        self._streams[stream] = self._count
        return self._count

    def _report(self, stream: Any) -> Report | None:
        """What is said next; None: nothing more."""
        try:
            report = Report(**self._ray.get(next(stream)))
        except StopIteration:
            report = None
        except self._ray.exceptions.RayTaskError as error:
            report = Report(code=1, complaint=shortened(str(error).strip().rpartition("\n")[2]))
        except self._ray.exceptions.RayError as error:  # the worker or its node is gone, or the job was cancelled
            report = Report(code=_KILLED, complaint=type(error).__name__)
        if report is None or report.code is not None:
            del self._streams[stream]
        return report
