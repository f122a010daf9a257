"""Whether something is there, for paths from outside: too long a name, one with NUL, one without permission is not."""

from __future__ import annotations

import os


def is_folder(path: os.PathLike[str] | str) -> bool:
    """Whether it is a folder that can be looked at; `Path.is_dir` raises for names that no file system takes."""
    return os.path.isdir(path)


def is_file(path: os.PathLike[str] | str) -> bool:
    """Whether it is a file that can be looked at."""
    return os.path.isfile(path)
