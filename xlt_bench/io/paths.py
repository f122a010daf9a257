"""Whether something is there, for paths from outside: too long a name, one with NUL, one without permission is not."""

from __future__ import annotations

import os
from pathlib import Path


def is_folder(path: os.PathLike[str] | str) -> bool:
    """Whether it is a folder that can be looked at; `Path.is_dir` raises for names that no file system takes."""
    return os.path.isdir(path)


def is_file(path: os.PathLike[str] | str) -> bool:
    """Whether it is a file that can be looked at."""
    return os.path.isfile(path)


def is_there(path: os.PathLike[str] | str) -> bool:
    """Whether anything of this name can be looked at."""
    return os.path.exists(path)


def in_home(path: os.PathLike[str] | str) -> Path:
    """The path with the user's home folder for `~`; as it is where there is no such user."""
    return Path(os.path.expanduser(path))
