"""Hashes of files; that of a large one is remembered as long as the file is as it was.

Every command needs the hash of its backbone, whose weights may have gigabytes.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from xlt_bench.io.remembered import Remembered
from xlt_bench.io.signatures import are_settled, signature_of

_LEAST_BYTES = 16 * 2**20
"""A smaller file is hashed in about the time that its hash would take to be looked up and written."""


def sha256_of(path: Path) -> bytes:
    """The SHA-256 of a file's content: 32 bytes.

    It is remembered in the user's cache folder, for the file's absolute path, size, inode and times of change, unless
    the file was changed in the two seconds before, or while it was read.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        # of the open file: it is the one that is read, and a network file system asks its server when it opens one
        began, signature = time.time_ns(), signature_of(file.fileno())
        if os.fstat(file.fileno()).st_size < _LEAST_BYTES:
            return hashlib.file_digest(file, "sha256").digest()
        remembered, question = Remembered("hashes"), f"sha256 {os.path.abspath(path)} {signature}"
        answer = remembered.recall(question)
        if answer is not None:
            return bytes.fromhex(answer)
        digest = hashlib.file_digest(file, "sha256").digest()
        if are_settled([signature], began) and signature_of(file.fileno()) == signature:
            remembered.keep(question, digest.hex(), files=(), began=began)
        return digest
