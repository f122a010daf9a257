"""How far the jobs of a store are: which wait, run, or ended without all their Records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.commands import JobEnd, QueuedJob
from xlt_bench.engines.slurm.submissions import Submission, Submissions, is_complete
from xlt_bench.records.store import Store

_LISTED = 4  # ids in a row


@dataclass(frozen=True)
class JobRow:
    """Jobs that are in the same state for the same reason.

    Attributes:
        ids: as Slurm prints them, the first few.
        state: as Slurm prints it, or `ended`.
        cells: runs that they are still to make, or did not.
        detail: nodes, why they wait, or what they said last.
    """

    ids: str
    state: str
    cells: int
    detail: str


@dataclass(frozen=True)
class Overview:
    """The jobs of a store.

    Attributes:
        cells: fingerprint -> job that waits or runs, of each cell in one.
        rows: what to show.
    """

    cells: Mapping[str, QueuedJob] = field(default_factory=dict)
    rows: Sequence[JobRow] = ()


def overview(store: Store, fingerprints: Collection[str]) -> Overview:
    """The jobs of a store that are to make these cells.

    Raises:
        EngineError: the controller does not answer.
    """
    submissions = Submissions(store.folder)
    if not submissions.all():
        return Overview()
    jobs = submissions.jobs()
    incomplete = {fingerprint for fingerprint in fingerprints if not is_complete(store, fingerprint)}
    live_jobs = {(job.name, job.place): job for job in jobs}
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for submission in reversed(submissions.all()):  # a cell that was submitted again belongs to its last job
        ends = _ends(submission, live_jobs)
        for place, cells in enumerate(submission.cells):
            unmade = incomplete.intersection(cells)
            incomplete -= unmade
            if unmade:
                state = _state(submission, place, live_jobs.get((submission.name, place)), ends.get(place, JobEnd()))
                groups.setdefault(state, []).append((submission.job_id(place), len(unmade)))
    rows = [
        JobRow(_listed([job_id for job_id, _ in members]), state, sum(number for _, number in members), detail)
        for (state, detail), members in groups.items()
    ]
    return Overview(submissions.jobs_of_cells(jobs), rows)


def _ends(submission: Submission, live_jobs: Mapping[tuple[str, int], QueuedJob]) -> Mapping[int, JobEnd]:
    """How jobs of a submission ended, where some did."""
    places = range(len(submission.cells))
    over = submission.id is not None and not all((submission.name, place) in live_jobs for place in places)
    return commands.ends(submission.id) if over and submission.id else {}


def _state(submission: Submission, place: int, live: QueuedJob | None, end: JobEnd) -> tuple[str, str]:
    """A job's state, and where it runs, why it waits or what it said."""
    if live is not None:
        return live.state.lower(), live.reason if live.waits else live.node
    return f"ended {end.state.lower()}".strip(), submission.complaint(place) or str(submission.logs)


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return ", ".join(ids[:_LISTED]) + more
