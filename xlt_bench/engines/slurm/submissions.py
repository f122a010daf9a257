"""Submissions: what was given to the cluster, in a hidden folder of the store; each is a folder of plans, one a job.

Jobs of a submission bear its name, so the queue itself says which plans are still under way: nothing that is written
here can contradict it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from xlt_bench.engines.answers import complaint
from xlt_bench.engines.plan import Plan
from xlt_bench.engines.probe import FOLDER
from xlt_bench.engines.slurm import commands
from xlt_bench.engines.slurm.commands import QueuedJob
from xlt_bench.errors import EngineError
from xlt_bench.io import atomic
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

_MANIFEST, _ID = "submission.json", "job-id"
_LOCK_SECONDS = 120.0


@dataclass(frozen=True)
class Submission:
    """One array of jobs.

    Attributes:
        folder: its name is that of the jobs.
        cells: fingerprints of the cells of each job, by its place.
    """

    folder: Path
    cells: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Of its jobs in the queue."""
        return self.folder.name

    @property
    def plans(self) -> list[Path]:
        """The plan of each job, by its place."""
        return [self.folder / f"{place}.json" for place in range(len(self.cells))]

    @property
    def logs(self) -> Path:
        """Where its jobs write what they say."""
        return self.folder / "logs"

    @property
    def id(self) -> str | None:
        """Of the whole array; None where it was never submitted."""
        path = self.folder / _ID
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    def job_id(self, place: int) -> str:
        """Of one job, as Slurm prints it."""
        array = self.id or "never submitted"
        return f"{array}_{place}" if len(self.cells) > 1 else array

    def note_id(self, array: str) -> None:
        """Write down under which id it was submitted; for messages, nothing depends on it."""
        (self.folder / _ID).write_text(array, encoding="utf-8")

    def complaint(self, place: int) -> str:
        """The last line that a job wrote to its standard error, its own error before others; empty where it has none.

        Slurm forgets at once what is cancelled before it begins; that there is no log tells it.
        """
        paths = sorted(self.logs.glob(f"{self.job_id(place)}_*.err"))
        if not paths:
            return "it never began, as when it is cancelled while it waits"
        return complaint("\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths))


class Submissions:
    """The submissions of a store.

    Args:
        store: folder of the store.
    """

    def __init__(self, store: Path) -> None:
        self.folder = store.resolve() / FOLDER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process looks at the queue and submits meanwhile.

        Raises:
            EngineError: one does, and does not end.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise EngineError(
                f"another process has been submitting to {self.folder.parent} for {_LOCK_SECONDS:g} s; "
                "look for it, or try again"
            ) from None

    def add(self, plans: Sequence[Plan]) -> Submission:
        """Write down plans that are about to be submitted, by a process that is `alone`: names are times."""
        name = f"xlt-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        cells = tuple(tuple(cell.fingerprint for cell in plan.cells) for plan in plans)
        submission = Submission(self.folder / name, cells)
        with atomic.temporary(self.folder) as folder:
            for place, plan in enumerate(plans):
                (folder / submission.plans[place].name).write_text(plan.as_text(), encoding="utf-8")
            (folder / _MANIFEST).write_text(json.dumps({"cells": cells}), encoding="utf-8")
            atomic.move_in(folder, submission.folder)
        return submission

    def all(self) -> list[Submission]:
        """Every submission that is still remembered, the oldest first."""
        submissions = []
        for path in sorted(self.folder.glob(f"xlt-*/{_MANIFEST}")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            submissions.append(Submission(path.parent, tuple(map(tuple, cells))))
        return submissions

    def jobs(self) -> list[QueuedJob]:
        """The jobs of all submissions that wait or run.

        Raises:
            EngineError: the controller does not answer.
        """
        return commands.queue([submission.name for submission in self.all()])

    def jobs_of_cells(self, jobs: Sequence[QueuedJob]) -> Mapping[str, QueuedJob]:
        """Fingerprint -> job, of every cell that one of these jobs is to make."""
        by_name = {submission.name: submission for submission in self.all()}
        return {
            fingerprint: job
            for job in jobs
            if job.name in by_name and job.place < len(by_name[job.name].cells)
            for fingerprint in by_name[job.name].cells[job.place]
        }

    def forget_complete(self, store: Store) -> None:
        """Remove submissions without a job in the queue whose cells are all complete; logs of others may be wanted."""
        live = {job.name for job in self.jobs()}
        for submission in self.all():
            cells = [fingerprint for job in submission.cells for fingerprint in job]
            if submission.name not in live and all(is_complete(store, fingerprint) for fingerprint in cells):
                shutil.rmtree(submission.folder, ignore_errors=True)


def is_complete(store: Store, fingerprint: str) -> bool:
    """Whether a store has the Record of a run that came to its end."""
    record = store.find(fingerprint)
    return isinstance(record, Record) and record.complete
