"""The Ray engine: every pack of missing cells is a task of the cluster, whose Records appear in the store."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from xlt_bench.engines.base import Means, Waiting
from xlt_bench.engines.faults import not_made
from xlt_bench.engines.job_device import JobDevice
from xlt_bench.engines.packs import pack_size, packs
from xlt_bench.engines.probe import FOLDER
from xlt_bench.engines.ray.cluster import Cluster
from xlt_bench.engines.ray.connecting import check_reachable, connect
from xlt_bench.engines.ray.jobs import Jobs
from xlt_bench.engines.ray.probe import NodeProbe, able_nodes, room
from xlt_bench.engines.ray.profile import RayProfile, read_ray_profile
from xlt_bench.errors import ConfigError
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Activity, Progress
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class RayEngine:
    """See `Engine`.

    Attributes:
        profile: the cluster, and what every job asks it for.
        progress: is told what jobs are doing, and which Records came.
        pack: cells that go through the backbone together, where the method can; None: see `pack_size`.
        say: is told of the probe and of workers that died, a line each.
        connect: gives the cluster of a profile, see there.
    """

    profile: RayProfile
    progress: Progress
    pack: int | None
    say: Callable[[str], None]
    connect: Callable[[RayProfile, StopSignals], Cluster] = connect

    @staticmethod
    def of(means: Means) -> RayEngine:
        """The engine as commands make it; nothing is started yet.

        Raises:
            ConfigError: the profile cannot be, Ray is not installed, or nothing listens at the address.
        """
        means.check_no_threads()
        profile = read_ray_profile(means.profile, means.job, os.environ)
        if importlib.util.find_spec("ray") is None:
            raise ConfigError("--engine ray needs Ray; install it with: pip install ray")
        check_reachable(profile.address or "local")
        return RayEngine(profile, means.progress, means.pack, means.say)

    def adapted(self, request: Request) -> Request:
        """For the jobs' device: this machine may have no GPU where they have one, or the other way round."""
        return self._device.adapted(request)

    def carry_out(self, experiment: Experiment, waiting: Waiting | None) -> Iterator[Record]:
        """Carry out the missing cells; those of processes outside are waited for, whatever `waiting` is.

        Raises:
            ConfigError: there is no cluster, or jobs cannot be carried out there.
            EngineError: jobs ended before all was made.
            Stopped: a scheduler asked the process to leave; the workers have left before it.
        """
        if not experiment.missing:
            return
        self.progress.activity(Activity("waiting", "for the Ray cluster"))
        with StopSignals() as stop_signals:
            cluster = self.connect(self.profile, stop_signals)
            try:
                yield from self._carry_out(experiment, cluster)
            finally:
                cluster.stop()

    def _carry_out(self, experiment: Experiment, cluster: Cluster) -> Iterator[Record]:
        nodes = able_nodes(cluster.nodes, self.profile)
        plan = self._device.plan(experiment, experiment.missing, self.pack)
        folder = experiment.setup.store.folder.resolve() / FOLDER
        NodeProbe(folder, self.profile, cluster, self.say).check(replace(plan, cells=plan.cells[:1]), nodes)
        jobs = Jobs(experiment, cluster, self.profile.retries, self.progress, self.say)
        for part in packs(experiment.missing, self._job_size(len(experiment.missing), room(nodes, self.profile))):
            jobs.begin(replace(plan, cells=tuple(part)))
        while jobs.live:
            self.progress.activity(Activity("waiting", jobs.summary))
            for record in jobs.records():
                self.progress.activity(Activity("writing", f"seed {record.cell.seed}"))
                yield record
        if jobs.faults:
            raise not_made(sum(experiment.settled(cell) is None for cell in experiment.missing), jobs.faults)

    @property
    def _device(self) -> JobDevice:
        return JobDevice(f"{self.profile.gpus:g}", self.profile.gpus > 0)

    def _job_size(self, cells: int, jobs_at_once: int) -> int:
        """How many cells a job gets: at most those that train together, and fewer where nodes would stand idle."""
        if self.profile.cells_per_job is not None:
            return self.profile.cells_per_job
        return min(pack_size(self.pack, self._device.name), math.ceil(cells / jobs_at_once))
