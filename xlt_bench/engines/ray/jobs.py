"""Jobs under way: which cells each is to make, how far it is, and what becomes of one whose worker died."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xlt_bench.engines.answers import Answer
from xlt_bench.engines.faults import worker_fault
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.ray.cluster import Cluster
from xlt_bench.engines.ray.report import Report
from xlt_bench.io.stop_signals import STOPPED_EXIT_CODE
from xlt_bench.method import Progress
from xlt_bench.progress.lines import counted
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment

_GRACE_SECONDS = 10.0
"""For a Record to appear after its worker has ended: directories of network file systems are cached."""
_PAUSE_SECONDS = 0.5
_LISTED = 4


@dataclass
class Job:
    """A plan that the cluster carries out.

    Attributes:
        plan: its cells are those that had no Record when it was begun for the last time.
        cells: fingerprint -> cell, of those without a Record so far.
        checkpoints: of these cells when it was begun.
        deaths: of its workers, in a row, without a Record or a checkpoint further.
        host: where it runs; empty while it waits.
        activity: what its worker is doing.
    """

    plan: Plan
    cells: dict[str, Cell]
    checkpoints: Mapping[str, int]
    deaths: int = 0
    host: str = ""
    activity: str = "starting"


@dataclass
class Jobs:
    """The jobs of an experiment.

    Attributes:
        experiment: whose cells they make.
        cluster: that carries them out.
        retries: see `RayProfile`.
        progress: is told what workers note.
        say: is told of workers that died.
        live: number for the cluster -> job, of those that wait or run.
        faults: why jobs ended without all their Records.
    """

    experiment: Experiment
    cluster: Cluster
    retries: int
    progress: Progress
    say: Callable[[str], None]
    live: dict[int, Job] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def begin(self, plan: Plan, deaths: int = 0) -> None:
        """Submit a plan."""
        cells = {cell.fingerprint: cell for cell in plan.cells}
        job = Job(plan, cells, self._checkpoints(plan.cells), deaths)
        self.live[self.cluster.submit(plan.as_text())] = job

    def records(self) -> Iterator[Record]:
        """Records that have come since the last call; waits a moment for them."""
        for number, report in self.cluster.reports():
            job = self.live[number]
            job.host = report.host or job.host
            answer = Answer.from_line(report.line)
            job.activity = answer.doing or job.activity
            if answer.note:
                self.progress.note(f"{job.host}: {answer.note}")
            if answer.fingerprint:
                yield from self._settled(job, [answer.fingerprint])
            if report.code is not None:
                yield from self._end(number, report)

    @property
    def summary(self) -> str:
        """How far they are, in a line."""
        running = [job for job in self.live.values() if job.host]
        cells = sum(len(job.cells) for job in self.live.values())
        line = f"for {counted(cells, 'run')}, jobs: {len(running)} running, {len(self.live) - len(running)} waiting"
        listed = [f"; {job.host}: {job.activity}" for job in running[:_LISTED]]
        return line + "".join(listed) + ("; ..." if len(running) > _LISTED else "")

    def _end(self, number: int, report: Report) -> Iterator[Record]:
        """What a job has made when it ends; what is missing of it is begun again where its worker died."""
        job = self.live.pop(number)
        yield from self._settled(job, list(job.cells))
        if not job.cells:
            return
        if not report.code:
            yield from self._late(job)
            if job.cells:
                self.faults.append(f"a worker on {job.host} has ended, and its Records do not appear in the store here")
            return
        fault = worker_fault(f"a job on {job.host or 'the cluster'}", report.code, report.complaint)
        if report.code > 0 and report.code != STOPPED_EXIT_CODE:
            self.faults.append(fault)
            return
        plan = replace(job.plan, cells=tuple(job.cells.values()))
        has_advanced = len(job.cells) < len(job.plan.cells) or self._checkpoints(plan.cells) != job.checkpoints
        deaths = 1 if has_advanced else job.deaths + 1
        if deaths > self.retries:
            self.faults.append(f"{fault}, {deaths} times in a row without getting further")
            return
        self.say(f"{fault}; it is begun again")
        self.begin(plan, deaths)

    def _settled(self, job: Job, fingerprints: Sequence[str]) -> Iterator[Record]:
        for fingerprint in fingerprints:
            cell = job.cells.get(fingerprint)
            record = None if cell is None else self.experiment.settled(cell)
            if record is not None:
                del job.cells[fingerprint]
                yield record

    def _late(self, job: Job) -> Iterator[Record]:
        """Records of a job that came to its end, as they appear here."""
        deadline = time.monotonic() + _GRACE_SECONDS
        while job.cells and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            yield from self._settled(job, list(job.cells))

    def _checkpoints(self, cells: Sequence[Cell]) -> Mapping[str, int]:
        return self.experiment.setup.store.checkpoint_times({fit for cell in cells for fit in cell.fits})
