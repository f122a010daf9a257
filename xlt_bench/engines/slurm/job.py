"""A job: what submitit pickles for the cluster. It holds nothing and is told the path of a plan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from xlt_bench.engines.answers import Answer
from xlt_bench.engines.slurm import commands
from xlt_bench.records.cell import Cell
from xlt_bench.records.store import Store

_OUT_OF_TIME = signal.SIGUSR2
"""Slurm's warning that the time is nearly over, as submitit asks for it."""
_PASSED_ON = (_OUT_OF_TIME, signal.SIGTERM)
"""The other one comes before a preemption, after which Slurm itself puts the job back, and at `scancel`."""
_MOST_FRUITLESS = 10
"""Times in a row that a job may be put back without a Record or a checkpoint more."""


class PlanJob:
    """Carries out a plan in a worker process, and goes back into the queue when the worker had to leave before its end.

    The worker is a process of its own so that it gets the signals as `xlt_bench.engines.worker` takes them, in place of
    submitit, which would end the process wherever it is.
    """

    def __call__(self, plan: str) -> None:
        """Carry out the plan of this path; SystemExit with the worker's code where that is not 0."""
        environment = _with_cores(dict(os.environ))
        command = [sys.executable, "-u", "-m", "xlt_bench.engines.worker", plan]
        earlier_checkpoints = _checkpoints(Path(plan))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        records = 0
        with _passing_on(process) as signals:
            for line in process.stdout:
                print(line, end="", flush=True)
                records += bool(Answer.from_line(line).fingerprint)
            code = process.wait()
        if code and _OUT_OF_TIME in signals:
            _go_on_later(Path(plan), fruitful=records > 0 or _checkpoints(Path(plan)) != earlier_checkpoints)
        if code:
            sys.exit(code if code > 0 else 128 - code)


def _checkpoints(plan: Path) -> dict[str, int]:
    """The checkpoints of a plan's fits, and when each was written."""
    plain = json.loads(plan.read_text(encoding="utf-8"))
    cells = [Cell.from_json(cell) for cell in plain["cells"]]
    return Store(Path(plain["store"])).checkpoint_times({fit for cell in cells for fit in cell.fits})


def _go_on_later(plan: Path, fruitful: bool) -> None:
    """Put this job back into the queue, unless it has got no further for many times; the count lies beside the plan.

    A fit that is longer than the time limit goes on from its checkpoint; a method that has none begins anew each time.
    """
    path = plan.with_suffix(".fruitless")
    count = 0 if fruitful else 1 + (int(path.read_text(encoding="utf-8")) if path.exists() else 0)
    path.write_text(str(count), encoding="utf-8")
    if count < _MOST_FRUITLESS:
        commands.requeue(_job_id())
    else:
        print(
            f"error: {count} times in a row out of time, with no run at its end and no checkpoint further; give more "
            "with --job time=",
            file=sys.stderr,
        )


@contextmanager
def _passing_on(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Give signals to the worker while it runs, in place of what submitit does at them; the signals that came."""
    signals: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        process.send_signal(number)

    handlers = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield signals
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _job_id() -> str:
    """Of this process, as Slurm takes it."""
    array, place = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{place}" if array else os.environ["SLURM_JOB_ID"]


def _with_cores(environment: dict[str, str]) -> dict[str, str]:
    """torch computes with the cores that the job asked for, also where nothing keeps it from taking others."""
    cores = environment.get("SLURM_CPUS_PER_TASK") or environment.get("SLURM_CPUS_ON_NODE")
    return environment if cores is None else {"OMP_NUM_THREADS": cores, **environment}
