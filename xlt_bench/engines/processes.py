"""A worker process as its parent has it: started on a plan, listened to, told to leave."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from xlt_bench.engines.answers import complaint

_STOP_SECONDS = 60.0
"""For a worker to write its checkpoint when it is told to leave."""


class WorkerProcess:
    """`python -m xlt_bench.engines.worker`, in the current folder.

    Args:
        name: of the files of its plan and its log in `folder`.
        plan: as JSON.
        environment: what it has beside this process's own.
        folder: an existing one.
        listener: is told each line of its standard output, and None at its end, in a thread of its own.
    """

    def __init__(
        self,
        name: str,
        plan: str,
        environment: Mapping[str, str],
        folder: Path,
        listener: Callable[[str | None], None],
    ) -> None:
        path = folder / f"{name}.json"
        path.write_text(plan, encoding="utf-8")
        self._log = folder / f"{name}.log"
        command = [sys.executable, "-m", "xlt_bench.engines.worker", str(path)]
        with self._log.open("wb") as log:
            # in a session of its own it hears its parent alone: Ctrl-C on a terminal, and Ray where the parent dies,
            # would end the whole group at once, before a checkpoint is written
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self._listener = listener
        threading.Thread(target=self._listen, daemon=True).start()

    def end(self) -> tuple[int, str]:
        """Its exit code, negative for a signal, and the last line of its complaints, once it has ended."""
        return self._process.wait(), complaint(self._log.read_text(encoding="utf-8", errors="replace"))

    def ask_to_leave(self) -> None:
        """Tell it to write a checkpoint and leave, if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Tell it to leave, and end it where it does not."""
        self.ask_to_leave()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._listener(line)
        self._listener(None)
