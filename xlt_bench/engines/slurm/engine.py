"""The Slurm engine: submits what is neither stored nor in the queue, and waits for the Records in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from xlt_bench.engines.base import Means, Waiting
from xlt_bench.engines.job_device import JobDevice
from xlt_bench.engines.packs import packs
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.commands import QueuedJob
from xlt_bench.engines.slurm.job import PlanJob
from xlt_bench.engines.slurm.probe import ClusterProbe
from xlt_bench.engines.slurm.profile import SlurmProfile, read_slurm_profile
from xlt_bench.engines.slurm.submissions import Submission, Submissions
from xlt_bench.errors import ConfigError, EngineError
from xlt_bench.method import Activity, Progress
from xlt_bench.progress.lines import counted
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.request import Request

_POLL_SECONDS = 2.0
_GRACE_SECONDS = 10.0
"""For a Record to appear after its job has left the queue: directories of network file systems are cached."""
_SILENT_SECONDS = 600.0
"""So long may the controller be away, as when it is restarted."""


@dataclass(frozen=True)
class SlurmEngine:
    """See `Engine`.

    Attributes:
        profile: what every job asks for.
        progress: is told how many jobs wait and run, and which Records came.
        pack: cells that go through the backbone together, where the method can; None: see `pack_size`.
        say: is told what is submitted, a line each.
    """

    profile: SlurmProfile
    progress: Progress
    pack: int | None
    say: Callable[[str], None]

    @staticmethod
    def of(means: Means) -> SlurmEngine:
        """The engine as commands make it; nothing is submitted yet.

        Raises:
            ConfigError: the profile cannot be, or this machine or its cluster lacks what is needed.
        """
        means.check_no_threads()
        profile = read_slurm_profile(means.profile, means.job)
        _import_submitit()
        commands.check_installed()
        commands.check_partition(profile.partition)
        return SlurmEngine(profile, means.progress, means.pack, means.say)

    def adapted(self, request: Request) -> Request:
        """For the jobs' device: this machine may have no GPU where they have one, or the other way round."""
        return self._device.adapted(request)

    def carry_out(self, experiment: Experiment, waiting: Waiting | None) -> Iterator[Record]:
        """Submit the missing cells that are in no job; then, unless `waiting` is None, wait for all of them."""
        submissions = Submissions(experiment.setup.store.folder)
        if experiment.missing:
            self._submit_missing(experiment, submissions)
        if waiting is not None:
            yield from self._wait(experiment, submissions)

    def _submit_missing(self, experiment: Experiment, submissions: Submissions) -> None:
        if not self._unqueued(experiment, submissions):
            return
        submissions.folder.mkdir(parents=True, exist_ok=True)
        cells = self._unqueued(experiment, submissions)
        ClusterProbe(submissions.folder, self.profile, self.say).check(self._plan(experiment, cells[:1]))
        with submissions.alone():
            cells = self._unqueued(experiment, submissions)  # others may have submitted while the probe was out
            if not cells:
                return
            parts = list(packs(cells, self.profile.job_size(self.pack)))
            submission = submissions.add([self._plan(experiment, part) for part in parts])
            submission.note_id(_submit(submission, self.profile))
        amount = f"{counted(len(cells), 'run')} in {counted(len(parts), 'job')}"
        self.say(f"submitted {submission.id}: {amount}, logs in {submission.logs}")

    def _unqueued(self, experiment: Experiment, submissions: Submissions) -> list[Cell]:
        """Missing cells that are in no job."""
        queued = submissions.jobs_of_cells(submissions.jobs())
        return [
            cell for cell in experiment.missing if cell.fingerprint not in queued and experiment.settled(cell) is None
        ]

    @property
    def _device(self) -> JobDevice:
        return JobDevice(self.profile.gpus, self.profile.has_gpu)

    def _plan(self, experiment: Experiment, cells: Sequence[Cell]) -> Plan:
        return self._device.plan(experiment, cells, self.pack)

    def _wait(self, experiment: Experiment, submissions: Submissions) -> Iterator[Record]:
        cells, gone_since = experiment.missing, None
        while cells:
            jobs = self._jobs(submissions)
            unsettled_cells = []
            for cell in cells:
                record = experiment.settled(cell)
                if record is None:
                    unsettled_cells.append(cell)
                else:
                    self.progress.activity(Activity("writing", f"seed {cell.seed}"))
                    yield record
            cells = unsettled_cells
            queued = submissions.jobs_of_cells(jobs)
            self.progress.activity(_activity(jobs, len(cells)))
            if not cells or any(cell.fingerprint in queued for cell in cells):
                gone_since = None
            elif gone_since is None:
                gone_since = time.monotonic()
            elif time.monotonic() - gone_since > _GRACE_SECONDS:
                raise _lost(cells, submissions)
            if cells:
                time.sleep(_POLL_SECONDS)
        with suppress(EngineError):  # the controller is away; all is made, and the next submission tidies up
            submissions.forget_complete(experiment.setup.store)

    def _jobs(self, submissions: Submissions) -> list[QueuedJob]:
        """The queue; a controller that is away is waited for.

        Raises:
            EngineError: it is away for long.
        """
        deadline, announced = time.monotonic() + _SILENT_SECONDS, False
        while True:
            try:
                return submissions.jobs()
            except EngineError as error:
                if time.monotonic() > deadline:
                    raise
                if not announced:
                    self.say(f"{error}; asking again, the jobs go on meanwhile")
                announced = True
                time.sleep(_POLL_SECONDS)


def _activity(jobs: Sequence[QueuedJob], cells: int) -> Activity:
    waiting = sum(job.waits for job in jobs)
    running = len(jobs) - waiting
    return Activity("waiting", f"for {counted(cells, 'run')}, jobs: {running} running, {waiting} in the queue")


def _submit(submission: Submission, profile: SlurmProfile) -> str:
    """Give a submission to Slurm; the id of its array.

    Raises:
        ConfigError: sbatch refuses it.
    """
    import submitit
    from submitit.core.utils import FailedJobError

    executor = submitit.SlurmExecutor(submission.logs, python=profile.python)
    try:
        executor.update_parameters(
            job_name=submission.name,
            time=profile.time,
            signal_delay_s=profile.warning,
            setup=list(profile.setup),
            array_parallelism=profile.jobs_at_once,
            # srun no longer takes it from sbatch, from Slurm 22.05 on
            srun_args=[] if profile.cpus is None else [f"--cpus-per-task={profile.cpus}"],
            additional_parameters=profile.sbatch_options(),
        )
        jobs = executor.map_array(PlanJob(), [str(path) for path in submission.plans])
    except FailedJobError as error:
        raise ConfigError(
            f"sbatch refused the jobs: {commands.complaint(str(error))}; mend the profile or --job"
        ) from None
    array: str = jobs[0].job_id.partition("_")[0]
    return array


def _lost(cells: Sequence[Cell], submissions: Submissions) -> EngineError:
    """What is said of cells whose jobs are gone: how the first of these jobs ended, and where it says more."""
    missing = {cell.fingerprint for cell in cells}
    lost_jobs = [
        (submission, place)
        for submission in reversed(submissions.all())
        for place, fingerprints in enumerate(submission.cells)
        if missing.intersection(fingerprints)
    ]
    if not lost_jobs:
        return EngineError(f"{counted(len(cells), 'run')} in no job any more; the same command submits again")
    submission, place = lost_jobs[0]
    ends = commands.ends(submission.id) if submission.id else {}
    state = ends.get(place, commands.JobEnd()).state
    complaint = submission.complaint(place)
    return EngineError(
        f"{counted(len(cells), 'run')} without a Record; job {submission.job_id(place)} of them ended"
        + (f" as {state}" if state else "")
        + (f": {complaint}" if complaint else "")
        + f"; its log is in {submission.logs}; the same command submits them again"
    )


def _import_submitit() -> None:
    try:
        import submitit  # noqa: F401
    except ImportError as missing:
        raise ConfigError("--engine slurm needs submitit; install it with: pip install submitit") from missing
