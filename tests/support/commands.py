"""Commands of the command line: what they print, and the environment of those in a process of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import NamedTuple

from tests.support import ROOT


class Output(NamedTuple):
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Output]


def process_environment(**changes: str) -> dict[str, str]:
    """Of a command in a process of its own: one thread, no network, output as into a pipe of 80 columns."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COLUMNS", "FORCE_COLOR"))}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    usual = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "80", "PYTHONPATH": path}
    return inherited | usual | changes


def heed_ctrl_c() -> None:
    """Let SIGINT interrupt this process, also where a background job of a shell started the tests and ignores it.

    Called in a process that is forked, or as `preexec_fn` of one that is started.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
