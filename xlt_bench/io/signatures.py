"""Signatures of files: whether one is as it was, without reading it.

A signature has the times of change of content and of entry, the size and the number of a file. Whatever writes,
restores or moves a file changes one of these, even if the time of its content is set back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

ABSENT = "-"
"""The signature of what is not there, or cannot be looked at."""
_SETTLED_NANOSECONDS = 2_000_000_000
"""A file that was changed less long ago could be changed again within the resolution of its time."""


def signature_of(file: os.PathLike[str] | str | int) -> str:
    """The signature of a file or a folder, by its path or, once it is open, by its descriptor.

    That of a folder changes with its list of entries.
    """
    try:
        facts = os.stat(file)
    except (OSError, ValueError):
        return ABSENT
    return f"{facts.st_mtime_ns}.{facts.st_ctime_ns}.{facts.st_size}.{facts.st_ino}"


def are_settled(signatures: Iterable[str], moment: int | None = None) -> bool:
    """Whether files of these signatures were changed so long before a moment that any change since then would show.

    Args:
        signatures: of files; those that are absent have no time.
        moment: nanoseconds since 1970; None: now.
    """
    latest = (time.time_ns() if moment is None else moment) - _SETTLED_NANOSECONDS
    files = (signature.split(".") for signature in signatures if signature != ABSENT)
    return all(int(changed) < latest for facts in files for changed in facts[:2])
