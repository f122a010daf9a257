"""An audit hook: no network while a method is checked, and a note of the files and processes that it opens."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NETWORK = tuple(
    f"socket.{event}" for event in ("connect", "bind", "getaddrinfo", "gethostbyname", "sendto", "sendmsg")
)
_STARTS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork")
_CODE = (".py", ".pyc", ".so")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_ANSWERS = ("xlt_bench.tasks.", "xlt_bench.baselines", "xlt_bench.leaderboard")
"""Modules that read what methods are scored by."""
_HARMLESS = ("xlt_bench.tasks.sampling",)


def _folders_of_answers() -> tuple[str, ...]:
    """Folders of the package in which data with labels, or results, lie."""
    import xlt_bench

    package = Path(xlt_bench.__file__).parent
    rooms = [folder / name for name in ("leaderboard", "baselines") for folder in (package, package.parent)]
    return tuple(f"{folder}{os.sep}" for folder in (package / "tasks", *rooms) if folder.is_dir())


class Audit:
    """An audit hook: refuses the network, and takes note of files and processes while it watches.

    Attributes:
        reached: what was asked of the network, whether or not somebody noticed the refusal.
        actions: files and processes, while it watches.
        written: files opened for writing.
        answers: files and modules of the package that hold labels or results, while it watches.
    """

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.actions: list[str] = []
        self.written: list[str] = []
        self.answers: list[str] = []
        self._watching = False
        self._folders = _folders_of_answers()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK and not _is_local(arguments):
            self.reached.append(" ".join(str(part) for part in arguments if not isinstance(part, socket.socket)))
            raise OSError("no network while a method is checked")
        if event == "open":
            self._opened(*arguments)
        if event == "import" and self._watching and _reads_answers(str(arguments[0])):
            self.answers.append(str(arguments[0]))
        if self._watching and event in _STARTS:
            self.actions.append("starts a process")

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        file = os.path.abspath(os.fsdecode(path))
        if isinstance(flags, int) and flags & _WRITING:
            self.written.append(file)
        if self._watching and not file.endswith(_CODE):
            self.actions.append(f"opens {file}")
            if file.startswith(self._folders):
                self.answers.append(file)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Take note of what happens within."""
        self._watching = True
        try:
            yield
        finally:
            self._watching = False


def _reads_answers(module: str) -> bool:
    return module.startswith(_ANSWERS) and module not in _HARMLESS


def _is_local(arguments: tuple[Any, ...]) -> bool:
    return isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX
