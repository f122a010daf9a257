"""Answers that took long, remembered as long as every file that they came from is as it was.

They lie in the user's cache folder as JSON, one file an answer, and may be deleted at any time. Several processes may
read and write them at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlt_bench.io import atomic
from xlt_bench.io.cache import cache_folder
from xlt_bench.io.signatures import are_settled, signature_of

_MOST_ANSWERS = 100


class Remembered:
    """Answers of one kind.

    Args:
        kind: the name of their folder.
    """

    def __init__(self, kind: str) -> None:
        self._folder = cache_folder(kind)

    def recall(self, question: str) -> Any:
        """The answer as plain data; None where there is none, or a file that it came from has changed."""
        try:
            entry = json.loads(self._path(question).read_text(encoding="utf-8"))
            state = _state(entry["answer"], map(signature_of, entry["files"]))
            return entry["answer"] if entry["state"] == state else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, question: str, answer: Any, files: Iterable[Path], began: int) -> None:
        """Remember an answer, unless a file may have changed since; where the folder cannot be written, it is not.

        Args:
            question: all that the answer depends on beside the files.
            answer: plain data.
            files: every file and folder that was read for it.
            began: when that began, in nanoseconds since 1970.
        """
        paths = sorted({str(path) for path in files})
        signatures = list(map(signature_of, paths))
        if not are_settled(signatures, began):
            return
        entry = {"files": paths, "state": _state(answer, signatures), "answer": answer}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            atomic.replace_file(self._path(question), json.dumps(entry).encode())
            atomic.sweep(self._folder)
            for path in sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-_MOST_ANSWERS]:
                path.unlink()

    def _path(self, question: str) -> Path:
        return self._folder / f"{hashlib.sha256(question.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"


def _state(answer: Any, signatures: Iterable[str]) -> str:
    """Of the files, and of the answer itself: a damaged one is none."""
    return hashlib.sha256(" ".join((json.dumps(answer), *signatures)).encode()).hexdigest()
