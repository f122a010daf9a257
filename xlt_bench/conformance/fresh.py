"""A method in a fresh process: what only shows where nothing has been imported, cached or patched before.

A server process (`worker.py`) imports torch and transformers once and forks a child for every method, so that checking
ten methods does not take ten times the seconds of those imports.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from xlt_bench.conformance.faults import CheckFailed
from xlt_bench.conformance.inspection import Findings, Inspection

LIMIT = 600.0
"""Seconds that a fresh process may take over one method."""


class FreshProcess:
    """Carries out inspections, each in a process that has never seen the method. Close it to end the server.

    Args:
        limit: seconds that an inspection may take; the server's start is not counted.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._limit = limit
        self._server: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._log: IO[bytes] | None = None
        self._end: Callable[[], object] = _nothing

    def start(self) -> None:
        """Start the server if it is not there, so that its imports run beside other work."""
        if self._server is None or self._server.poll() is not None:
            environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
            environment.pop("PYTHONHASHSEED", None)  # a fresh process hashes text in its own way
            self._end()
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-m", "xlt_bench.conformance.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=environment,
                start_new_session=True,
            )
            self._ready = False
            self._end = weakref.finalize(self, _end, self._server, self._log)

    def close(self) -> None:
        """End the server."""
        self._end()
        self._server = None

    def run(self, inspection: Inspection) -> Findings:
        """Hand an inspection over and wait for its findings.

        Raises:
            CheckFailed: the process raised outside the method's calls, died, or took too long.
        """
        self.start()
        server = self._server
        assert server is not None
        assert server.stdin is not None
        assert server.stdout is not None
        self._ready = self._ready or bool(server.stdout.readline())
        if not self._ready:
            raise CheckFailed(f"a fresh process cannot be started: {self._last_line()}")
        server.stdin.write(f"{inspection.write()}\n".encode())
        server.stdin.flush()
        answered, _, _ = select.select([server.stdout], [], [], self._limit)
        if not answered:
            self.close()
            raise CheckFailed(f"a fresh process did not end within {self._limit:g} s")
        code = server.stdout.readline().decode().strip()
        if code != "0":
            raise CheckFailed(f"a fresh process died ({code or 'no answer'}): {self._last_line()}")
        return Findings.read(Path(inspection.folder))

    def _last_line(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


def _nothing() -> None:
    """Before a server is started there is none to end."""


def _end(server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)  # with a child that does not end
    for stream in (server.stdin, server.stdout, log):
        if stream is not None:
            stream.close()
    server.wait()
