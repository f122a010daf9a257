"""What runs on the cluster, as functions that Ray calls there; they hold nothing, and are told a plan.

Each says what it has to say as plain data of a `Report`.
"""

from __future__ import annotations

import os
import platform
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xlt_bench.engines.answers import complaint
from xlt_bench.engines.probe import NO_FOLDER, NO_STORE
from xlt_bench.engines.processes import WorkerProcess
from xlt_bench.io.process_folders import process_folder

_POLL_SECONDS = 0.5
"""Ray cancels a job by an exception that waits for Python's next instruction: none may take long."""

Plain = Mapping[str, Any]


def carry_out_job(plan: str, environment: Mapping[str, str]) -> Iterator[Plain]:
    """Carry out a plan in a worker process, which writes a checkpoint and leaves when this one is cancelled or dies.

    Args:
        plan: as JSON.
        environment: what the worker has beside this process's own.
    """
    host = platform.node()
    yield {"host": host}
    lines: queue.Queue[str | None] = queue.Queue()
    with process_folder("xlt-bench-job-") as folder:
        worker = WorkerProcess("job", plan, environment, folder, lines.put)
        try:
            while (line := _next(lines)) is not None:
                yield {"host": host, "line": line}
            code, last_line = worker.end()
        finally:
            worker.stop()
    yield {"host": host, "code": code, "complaint": last_line}


def look(folder: str, plan: str, answer: str, environment: Mapping[str, str]) -> Iterator[Plain]:
    """Look whether a job would see what it needs: see `xlt_bench.engines.probe`.

    Args:
        folder: the working folder.
        plan: path of the plan.
        answer: path of a file to be written beside it.
        environment: as a worker would have it.
    """
    host = platform.node()
    yield {"host": host}
    if not os.path.isdir(folder):
        yield {"host": host, "code": NO_FOLDER}
    elif not os.access(plan, os.R_OK):
        yield {"host": host, "code": NO_STORE}
    else:
        command = [sys.executable, "-m", "xlt_bench.engines.probe_job", plan, answer]
        code, last_line = _end(command, folder, {**os.environ, **environment})
        yield {"host": host, "code": code, "complaint": last_line}


def _next(lines: queue.Queue[str | None]) -> str | None:
    while True:
        try:
            return lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue


def _end(command: Sequence[str], folder: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code of a command and the last line of its complaints; it ends with this process's work on it."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
        finally:
            process.kill()
        log.seek(0)
        return process.wait(), complaint(log.read().decode("utf-8", errors="replace"))
