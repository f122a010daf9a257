"""Slurm's commands, as far as they are needed. None of them asks for accounting, which not every cluster has."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from xlt_bench.errors import ConfigError, EngineError, unknown
from xlt_bench.io.texts import shortened

_COLUMNS = "%i|%j|%K|%T|%r|%N"
_SECONDS = 120.0


@dataclass(frozen=True)
class QueuedJob:
    """A job in the queue, waiting or running.

    Attributes:
        id: as Slurm prints it: 17, or 17_3 of an array.
        name: of the submission that it belongs to.
        place: in its array, from 0.
        state: PENDING, RUNNING, COMPLETING, ...
        reason: why it waits.
        node: where it runs.
    """

    id: str
    name: str
    place: int
    state: str
    reason: str
    node: str

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.state == "PENDING"


def check_installed() -> None:
    """Refuse a machine that cannot submit; ConfigError."""
    for command in ("sbatch", "squeue", "scontrol"):
        if shutil.which(command) is None:
            raise ConfigError(
                f"there is no {command} on this machine; start the command where jobs are submitted, on a login node "
                "of the cluster, or leave --engine slurm out"
            )


def check_partition(name: str | None) -> None:
    """Refuse a partition that does not exist; ConfigError."""
    if name is None:
        return
    try:
        partitions = _run(["sinfo", "--noheader", "--format=%R"]).split()
    except EngineError as error:
        raise ConfigError(f"{error}; `scontrol ping` tells whether a controller answers this machine") from None
    for partition in name.split(","):
        if partition not in partitions:
            raise unknown("partition", partition, partitions, f"sinfo ({', '.join(dict.fromkeys(partitions))})")


def queue(names: Sequence[str]) -> list[QueuedJob]:
    """The jobs of these names that wait or run; every job of an array by itself.

    Raises:
        EngineError: the controller does not answer.
    """
    if not names:
        return []
    command = ["squeue", "--noheader", "--array", f"--name={','.join(names)}", f"--format={_COLUMNS}"]
    jobs = []
    for line in _run(command).splitlines():
        job_id, name, place, state, reason, node = line.split("|", 5)
        jobs.append(QueuedJob(job_id, name, int(place) if place.isdigit() else 0, state, reason, node))
    return jobs


@dataclass(frozen=True)
class JobEnd:
    """How a job ended: its state, and the exit code where Slurm has one."""

    state: str = ""
    code: int | None = None


def ends(job_id: str) -> dict[int, JobEnd]:
    """How a job, or each of an array by its place, stands or ended; empty after some minutes, when Slurm forgets it."""
    try:
        lines = _run(["scontrol", "--oneliner", "show", "job", job_id]).splitlines()
    except EngineError:
        return {}
    by_place = {}
    for line in lines:
        facts = dict(fact.partition("=")[::2] for fact in line.split())
        place, code = facts.get("ArrayTaskId", "0"), facts.get("ExitCode", "").partition(":")[0]
        if place.isdigit():  # what has never begun of an array is one line, such as 2-3
            by_place[int(place)] = JobEnd(facts.get("JobState", ""), int(code) if code.isdigit() else None)
    return by_place


def cancel(names: Sequence[str]) -> None:
    """Cancel all jobs of these names."""
    for name in names:
        _run(["scancel", f"--name={name}"])


def requeue(job_id: str) -> None:
    """Put a running job back into the queue."""
    _run(["scontrol", "requeue", job_id])


def submit(script: str, options: Mapping[str, str | Literal[True]]) -> str:
    """Submit a script of the shell; its job's id.

    Args:
        script: its lines.
        options: long name -> value; True: without a value.

    Raises:
        ConfigError: sbatch refuses it.
    """
    flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
    try:
        answer = _run(["sbatch", "--parsable", *flags, f"--wrap={script}"])
    except EngineError as error:
        raise ConfigError(f"{error}; mend the profile or --job") from None
    return answer.strip().partition(";")[0]


def _run(command: Sequence[str]) -> str:
    """Standard output of a command; EngineError with its last line of complaint where it fails."""
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{command[0]} gave no answer: {shortened(error, 200)}") from error
    if process.returncode:
        raise EngineError(f"{command[0]} failed: {complaint(process.stderr)}")
    return process.stdout


def complaint(text: str) -> str:
    """The last line of what a program of Slurm said, without the program's name."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return shortened(lines[-1].rpartition("error: ")[2], 300) if lines else "it said nothing"
