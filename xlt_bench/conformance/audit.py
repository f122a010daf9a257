"""An audit hook: no network while a method is checked, and a note of the files and processes that it opens."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
_STARTS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork")
_CODE = (".py", ".pyc", ".so")


class Audit:
    """An audit hook: refuses the network, and takes note of files and processes while it watches."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.actions: list[str] = []
        self._watching = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK and not _is_local(arguments):
            self.reached.append(" ".join(str(part) for part in arguments if not isinstance(part, socket.socket)))
            raise OSError("no network while a method is checked")
        if self._watching and event == "open" and not str(arguments[0]).endswith(_CODE):
            self.actions.append(f"opens {arguments[0]}")
        if self._watching and event in _STARTS:
            self.actions.append("starts a process")

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Take note of what happens within."""
        self._watching = True
        try:
            yield
        finally:
            self._watching = False


def _is_local(arguments: tuple[Any, ...]) -> bool:
    return isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX
