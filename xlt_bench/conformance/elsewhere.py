"""Another working folder, and standard output in a file: what a method leaves in either is found there."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.io.cache import cache_folder

_SYSTEM = ("/dev/", "/proc/", "/sys/")


@dataclass(frozen=True)
class Elsewhere:
    """Two empty folders: the working folder, and that of temporary files."""

    working: Path
    temporary: Path

    def files_left(self, written: Sequence[str], allowed: Sequence[Path]) -> list[str]:
        """Files that lie in one of them, or that were written outside of them and still exist.

        Args:
            written: files that were opened for writing.
            allowed: files that may be there, and folders in which files may be.
        """
        inside = [str(file) for folder in (self.working, self.temporary) for file in folder.rglob("*")]
        folders = (*_SYSTEM, *(f"{folder}{os.sep}" for folder in (cache_folder("tokens"), *allowed)))
        harmless = {str(file) for file in allowed}
        outside = [
            file for file in written if os.path.exists(file) and file not in harmless and not file.startswith(folders)
        ]
        return sorted({*inside, *(file for file in outside if "__pycache__" not in file)})


@contextlib.contextmanager
def elsewhere(folder: Path) -> Iterator[Elsewhere]:
    """Work in a new folder, which is made in `folder`; afterwards in the old one again."""
    place = Elsewhere(folder / "working", folder / "temporary")
    for part in (place.working, place.temporary):
        part.mkdir(parents=True)
    usual_folder = os.getcwd()
    os.chdir(place.working)
    tempfile.tempdir = str(place.temporary)
    try:
        yield place
    finally:
        os.chdir(usual_folder)


@contextlib.contextmanager
def printed_to(file: Path) -> Iterator[None]:
    """Within, what is written to standard output, from Python or not, goes to a file."""
    sys.stdout.flush()
    usual = os.dup(1)
    with file.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(usual, 1)
        os.close(usual)
