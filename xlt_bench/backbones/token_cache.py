"""Token ids kept by content: in memory for the seeds of a process, on disk for the processes after it.

A key is a hash of all that decides the ids: the backbone's files, the tokenizers library, the limit and the texts.
Files lie in the user's cache folder (`$XDG_CACHE_HOME/xlt-bench/tokens`, else `~/.cache/xlt-bench/tokens`) and may be
deleted at any time. Each is written whole under another name and renamed, so several processes may share the folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from xlt_bench.backbones.tokenised import Texts, Tokenised
from xlt_bench.io.cache import cache_folder

_IN_MEMORY = 20_000_000
"""Tokens kept in memory (160 MB), in as many lists of texts as they come."""
_ON_DISK = 200
"""Files kept; the ones unused for longest go first."""
_WORTH_A_FILE = 2_000
"""Fewer texts are tokenised in less time than a file takes to find and read."""


class TokenCache:
    """Token ids by content.

    Args:
        identity: what identifies the tokenizer.
        folder: where files lie; None for the user's cache folder.
    """

    def __init__(self, identity: str, folder: Path | None = None) -> None:
        self._identity = f"{identity} {version('tokenizers')}"
        self._folder = folder or cache_folder("tokens")
        self._in_memory: OrderedDict[str, Tokenised] = OrderedDict()
        self._tokens = 0

    def get(
        self, texts: Texts, max_length: int, tokenise: Callable[[], Tokenised], pad_id: int, form: str = ""
    ) -> Tokenised:
        """The ids of these texts, by `tokenise` where nobody has computed them yet.

        Args:
            form: identifies what else `tokenise` does with texts, such as a template that it puts around them.
        """
        key = self._key(texts, max_length, form)
        if key in self._in_memory:
            self._in_memory.move_to_end(key)
            return self._in_memory[key]
        tokenised = self._read(key, len(texts), pad_id)
        if tokenised is None:
            tokenised = tokenise()
            self._write(key, tokenised)
        self._in_memory[key] = tokenised
        self._tokens += int(tokenised.lengths.sum())
        while self._tokens > _IN_MEMORY and len(self._in_memory) > 1:
            _, oldest = self._in_memory.popitem(last=False)
            self._tokens -= int(oldest.lengths.sum())
        return tokenised

    def _key(self, texts: Texts, max_length: int, form: str) -> str:
        digest = hashlib.sha256(f"{self._identity} {max_length} {len(texts)}{form and ' '}{form}".encode())
        for first, second in texts:
            # lengths before the characters: no two lists of texts read alike
            pair = "-" if second is None else f"{len(second)}:{second}"
            digest.update(f"{len(first)}:{first}{pair}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:32]

    def _read(self, key: str, items: int, pad_id: int) -> Tokenised | None:
        """What a file holds; None where there is none, or none that is whole."""
        path = self._folder / f"{key}.safetensors"
        if items < _WORTH_A_FILE or not path.is_file():
            return None
        try:
            stored = load_file(path)
            os.utime(path)
            ids, lengths = stored["ids"], stored["lengths"]
        except (OSError, SafetensorError, KeyError):
            return None
        if len(lengths) != items or int(lengths.sum()) != len(ids):
            return None
        segments = stored.get("segments")
        return Tokenised(_split(ids, lengths), pad_id, None if segments is None else _split(segments, lengths))

    def _write(self, key: str, tokenised: Tokenised) -> None:
        if len(tokenised) < _WORTH_A_FILE:
            return
        stored = {"ids": _joined(tokenised.ids), "lengths": tokenised.lengths}
        if tokenised.segments is not None:
            stored["segments"] = _joined(tokenised.segments)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            os.close(handle)
            save_file(stored, name)
            os.replace(name, self._folder / f"{key}.safetensors")
            self._prune()
        except (OSError, SafetensorError):  # a full disk or a read-only home: the ids are there all the same
            return

    def _prune(self) -> None:
        files = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in files[:-_ON_DISK]:
            path.unlink(missing_ok=True)


def _joined(rows: Sequence[NDArray[np.int64]]) -> NDArray[Any]:
    return np.concatenate(rows).astype(np.int32)


def _split(flat: NDArray[Any], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    return tuple(np.split(flat.astype(np.int64), np.cumsum(lengths)[:-1]))
