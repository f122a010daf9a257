"""A SlurmProfile: what every job of a cluster asks for. Its fields declare the keys of a TOML file and of `--job`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlt_bench.engines.packs import GPU_PACK
from xlt_bench.engines.profiles import read_number, read_profile_as, whole
from xlt_bench.errors import ConfigError
from xlt_bench.io.texts import shown
from xlt_bench.progress.lines import counted
from xlt_bench.runs.option import option, read_count, read_text

_TIME = re.compile(r"(?:(?P<days>\d{1,3})-)?(?P<hours>\d{1,4})(?::(?P<minutes>\d{1,2}))?(?::(?P<seconds>\d{1,2}))?")
_GPUS = re.compile(r"(?:[\w.-]+:)?(?P<number>\d+)")
SbatchOptions = Mapping[str, str | Literal[True]]
"""Long name -> value; True: an option that takes none, or is given without."""
_KEYS = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
    "time": "time",
    "mem": "memory",
    "cpus-per-task": "cpus",
    "gpus": "gpus",
    "gpus-per-node": "gpus",
    "signal": "warning",
    "array": "cells_per_job and jobs_at_once",
}
"""Option of sbatch -> the key of a profile that says it."""
_RESERVED = {
    *("job-name", "output", "error", "open-mode", "parsable", "wrap", "requeue", "no-requeue", "test-only", "wait"),
    *("nodes", "ntasks", "ntasks-per-node"),
}
"""Options that the engine sets or counts on: names, logs, requeueing, one process a job."""


def _read_minutes(value: object, name: str) -> int:
    """Minutes, or Slurm's [days-]hours:minutes:seconds, in whole minutes."""
    number = whole(value)
    if isinstance(number, int):
        minutes: int = read_count()(number, name)
        return minutes
    match = _TIME.fullmatch(number) if isinstance(number, str) else None
    if match is None or not (match["seconds"] or match["days"]):
        raise ConfigError(f"{name} takes minutes, or hours:minutes:seconds such as 4:00:00, not {shown(value)}")
    hours = 24 * int(match["days"] or 0) + int(match["hours"])
    return max(1, 60 * hours + int(match["minutes"] or 0) + (int(match["seconds"] or 0) > 0))


def _read_gpus(value: object, name: str) -> str:
    """A number of GPUs, or kind:number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = _GPUS.fullmatch(text) if isinstance(text, str) else None
    if match is None or not isinstance(text, str):
        raise ConfigError(f"{name} takes a number or KIND:NUMBER such as a100:1, not {shown(value)}")
    if int(match["number"]) > 1:
        raise ConfigError(f"{name}={text}: a job uses one GPU; ask for 1, and let more jobs run at once")
    return text


def _read_lines(value: object, name: str) -> tuple[str, ...]:
    """Lines of the shell: a list of them, or a text that has them."""
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise ConfigError(f"{name} takes a text or a list of texts, not {shown(value)}")
    return tuple(lines)


def _read_options(value: object, name: str) -> SbatchOptions:
    """Further options of sbatch by their long names."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} takes a table of sbatch's options, such as [options] with nodelist = 'n1'")
    return dict(_read_option(str(key), part, name) for key, part in value.items())


def _read_option(key: str, value: object, name: str) -> tuple[str, str | Literal[True]]:
    option_name = key.removeprefix("--").replace("_", "-")
    if option_name in _KEYS:
        raise ConfigError(f"{name}: {option_name} is not said there; use the profile's own {_KEYS[option_name]}")
    if option_name in _RESERVED:
        raise ConfigError(f"{name}: {option_name} is set by the engine; leave it out")
    if value is True:
        return option_name, True
    if value is False or not isinstance(value, str | int):
        raise ConfigError(
            f"{name}: {option_name} takes a text or a number, or true for an option without a value, not "
            f"{shown(value)}; leave out what is not wanted"
        )
    return option_name, str(value)


@dataclass(frozen=True)
class SlurmProfile:
    """What every job asks for.

    Attributes:
        time: minutes.
        memory: as sbatch takes it, such as 16G.
        gpus: as sbatch takes it: a number, perhaps with a kind before it.
        cells_per_job: runs that one job makes at most; None: those that go through the backbone together, see
            `job_size`.
        jobs_at_once: of one submission.
        warning: seconds before its time is over at which a job is told to write a checkpoint and leave.
        setup: lines of the shell before a job starts Python.
        python: that jobs start; None: this one.
        options: further options of sbatch.
    """

    partition: str | None = option(None, "partition of the cluster", read_text)
    account: str | None = option(None, "account that pays", read_text)
    qos: str | None = option(None, "quality of service", read_text)
    constraint: str | None = option(None, "features that nodes must have", read_text)
    time: int = option(60, "time limit: minutes, or 4:00:00", _read_minutes)
    memory: str | None = option(None, "memory, such as 16G", read_text)
    cpus: int | None = option(None, "cores", read_number)
    gpus: str = option("0", "1 for a GPU, or KIND:1; a job uses one", _read_gpus)
    cells_per_job: int | None = option(None, "runs that a job makes at most", read_number)
    jobs_at_once: int = option(256, "jobs of a submission that may run at once", read_number)
    warning: int = option(120, "seconds before the time limit at which a checkpoint is written", read_number)
    setup: tuple[str, ...] = option((), "lines of the shell before Python is started", _read_lines)
    python: str | None = option(None, "Python of the jobs", read_text)
    options: SbatchOptions = option({}, "further options of sbatch", _read_options)

    @property
    def has_gpu(self) -> bool:
        """Whether jobs get a GPU."""
        match = _GPUS.fullmatch(self.gpus)
        return match is not None and int(match["number"]) > 0

    def job_size(self, pack: int | None) -> int:
        """How many cells a job gets at most.

        Args:
            pack: cells that go through the backbone together; None: as many as usual on the jobs' device.
        """
        return self.cells_per_job or pack or (GPU_PACK if self.has_gpu else 1)

    def sbatch_options(self) -> SbatchOptions:
        """What sbatch is asked for; time limit and signal are not among it."""
        fields: dict[str, str | None] = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "mem": self.memory,
            "cpus-per-task": None if self.cpus is None else str(self.cpus),
            "gpus-per-node": self.gpus if self.has_gpu else None,
        }
        return {name: value for name, value in fields.items() if value is not None} | dict(self.options)


def read_slurm_profile(path: Path | None, settings: Sequence[str]) -> SlurmProfile:
    """A profile from a TOML file, and from `name=value`, which go before it.

    Raises:
        ConfigError: a key that there is not, the first value that breaks its rule, or a warning at a job's start.
    """
    profile = read_profile_as(SlurmProfile, path, settings, "partition=gpu")
    if profile.warning >= 60 * profile.time:
        raise ConfigError(
            f"time={profile.time} with warning={profile.warning}: jobs of {counted(profile.time, 'minute')} would be "
            f"told to leave {profile.warning} s before their end, at their start; give more time or a smaller warning"
        )
    return profile
