"""Surroundings that tell a method nothing: another time, and an eye on the environment variables that it reads.

Only for the process of an inspection, which ends with it: the clock's functions are replaced there.
"""

from __future__ import annotations

import collections.abc
import datetime
import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

LATER = 400.0 * 86_400 + 11_220
"""Seconds by which the inspection is later than now: other days, hours and minutes."""

_LIBRARIES = (os.path.dirname(os.__file__), sysconfig.get_path("stdlib"))
_PACKAGES = ("/site-packages/", "/dist-packages/")
_MAPPINGS = (os.__file__, collections.abc.Mapping.get.__code__.co_filename, "<frozen os>", "<frozen _collections_abc>")
"""Files of the code between whoever asks for a variable and the environment."""
_PACKAGE = __file__.rpartition("conformance")[0]


def shift_clock() -> None:
    """Let it be later for whoever asks Python for the time from now on."""
    seconds, nanoseconds = time.time, time.time_ns

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    time.time = lambda: seconds() + LATER
    time.time_ns = lambda: nanoseconds() + int(LATER) * 10**9
    datetime.datetime = Later  # type: ignore[misc]


class WatchedEnvironment(os._Environ[str]):
    """The environment, with a note of the variables that code outside libraries and this package asks for.

    Args:
        environment: the usual one.
        plugin: where the method's own code lies, a file or folder; it is no library, wherever it is installed.
    """

    def __init__(self, environment: os._Environ[str], plugin: str) -> None:
        super().__init__(
            environment._data,  # type: ignore[attr-defined]
            environment.encodekey,
            environment.decodekey,
            environment.encodevalue,
            environment.decodevalue,
        )
        self.asked: list[str] = []
        self._plugin = plugin

    def __getitem__(self, name: str) -> str:
        if _asked_by_a_method(sys._getframe(1), self._plugin):
            self.asked.append(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        if _asked_by_a_method(sys._getframe(1), self._plugin):
            self.asked.append("all of them")
        return super().__iter__()


def watch_environment(plugin: str) -> WatchedEnvironment:
    """Put a watched environment in the place of the usual one; see WatchedEnvironment."""
    watched = WatchedEnvironment(os.environ, plugin)
    os.environ = watched  # noqa: B003 - the variables stay as they are
    return watched


def _asked_by_a_method(frame: FrameType | None, plugin: str) -> bool:
    """Whether the first caller outside `os` and the collections is no library's."""
    while frame is not None and frame.f_code.co_filename in _MAPPINGS:
        frame = frame.f_back
    file = "" if frame is None else frame.f_code.co_filename
    if file.startswith(_PACKAGE):
        return False
    if file.startswith((*_LIBRARIES, "<frozen")):
        return False
    below = file.removeprefix(plugin)  # its own folder may be a project with an environment of libraries in it
    return bool(file) and not any(part in below for part in _PACKAGES)
