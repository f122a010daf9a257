"""Checkpoints of fits under way: one file each, safetensors with JSON in its header, nothing pickled."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.errors import ClaimLostError, StoreError
from xlt_bench.io.atomic import replacing
from xlt_bench.io.texts import reason
from xlt_bench.method import Snapshot
from xlt_bench.records.claims import Claims

if TYPE_CHECKING:
    from torch import Tensor

ABANDONED_DAYS = 14
"""After which a checkpoint that nobody went on from is removed."""

_SUFFIX = ".safetensors"
_HEADER = "checkpoint"


@dataclass(frozen=True)
class Unusable:
    """A checkpoint that is there and cannot be used, and why."""

    reason: str


class CheckpointFiles:
    """The checkpoints of a store, by the name of a training: that of its fit, and a number.

    Args:
        folder: made at the first checkpoint.
        claims: on the fits.
    """

    def __init__(self, folder: Path, claims: Claims) -> None:
        self._folder = folder
        self._claims = claims

    def write(self, fit: str, number: int, snapshot: Snapshot, program: str) -> None:
        """Write a checkpoint, in place of an older one; it is there whole or not at all.

        Args:
            fit: the fit's name.
            number: of the training within the fit.
            snapshot: its state.
            program: identity of the code that can go on from it.

        Raises:
            StoreError: the disk does not take it.
            ClaimLostError: another process has taken over the claim on the fit.
        """
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        path = self._path(fit, number)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in snapshot.tensors.items()}
        plain = json.dumps(snapshot.plain)
        header = {"training": path.stem, "program": program, "checksum": _checksum(tensors, plain), "plain": plain}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._claims.drafts(fit, self._folder) as drafts, replacing(path, drafts) as draft:
                try:
                    save_file(tensors, draft, {_HEADER: json.dumps(header)})
                except SafetensorError as error:
                    raise OSError(str(error)) from error
        except OSError as error:
            raise StoreError(
                f"the checkpoint {path} cannot be written: {reason(error)}; free space, or run with --no-checkpoints"
            ) from error

    def read(self, fit: str, number: int, program: str) -> Snapshot | Unusable | None:
        """The checkpoint of a training, if it is whole and this code's."""
        from safetensors import SafetensorError, safe_open

        path = self._path(fit, number)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads(file.metadata()[_HEADER])
                if header["training"] != path.stem:
                    return Unusable("is that of another run")
                if header["program"] != program:
                    return Unusable(
                        "is of another version of the program, the method or torch, or of another kind of device"
                    )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            if header["checksum"] != _checksum(tensors, header["plain"]):
                return Unusable("is damaged: its checksum is another")
            return Snapshot(tensors, json.loads(header["plain"]))
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            return Unusable(f"cannot be read ({type(error).__name__})")

    def drop(self, fits: Iterable[str]) -> None:
        """Remove the checkpoints of fits, unless another process has taken over the claim on one."""
        for fit in fits:
            for path in list(self._folder.glob(f"{fit}-*{_SUFFIX}")):
                with suppress(OSError, ClaimLostError), self._claims.drafts(fit, self._folder) as aside:
                    path.rename(aside / path.name)

    def times(self, fits: Iterable[str] | None = None) -> dict[str, int]:
        """Name of each checkpoint of fits -> when it was written, in nanoseconds of the file system's clock.

        Args:
            fits: names; None: all.
        """
        patterns = [f"*{_SUFFIX}"] if fits is None else [f"{fit}-*{_SUFFIX}" for fit in fits]
        paths = [path for pattern in patterns for path in self._folder.glob(pattern)]
        times = {}
        for path in paths:
            with suppress(OSError):
                times[path.name] = path.stat().st_mtime_ns
        return times

    def sweep(self) -> None:
        """Remove what nobody went on from for ABANDONED_DAYS."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - ABANDONED_DAYS * 86_400:
                    path.unlink()

    def _path(self, fit: str, number: int) -> Path:
        return self._folder / f"{fit}-{number}{_SUFFIX}"


def _checksum(tensors: Mapping[str, Tensor], plain: str) -> int:
    """CRC-32 over the tensors' bytes in the order of their names, and over the plain data."""
    import torch

    checksum = zlib.crc32(plain.encode())
    for name in sorted(tensors):
        checksum = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, checksum)
    return checksum
