"""What a packaged backbone is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.io.cache import cache_folder


@dataclass(frozen=True)
class Archive:
    """A wheel of the Python registry.

    Attributes:
        project, version: of the package.
        file: name of the wheel.
        sha256: of the wheel, in hexadecimal digits.
        size: bytes.
    """

    project: str
    version: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PackagedBackbone:
    """A backbone made from wheels.

    Attributes:
        name: for `--backbone`.
        hub_id: the model that it was made from.
        summary: what it is, in a few words.
        parameters: how many.
        licence: SPDX identifier.
        archives: the wheels.
        size: bytes of the folder that is made.
        fingerprint: hash of that folder (see `xlt_bench.backbones.folder.hash_of`), the same on every machine.
        caveats: what a reader of results must know.
        example: options of `xlt-bench` that go with it.
        build: writes the folder, given the wheels in the order of `archives`, into an empty folder.
    """

    name: str
    hub_id: str
    summary: str
    parameters: int
    licence: str
    archives: tuple[Archive, ...]
    size: int
    fingerprint: str
    caveats: tuple[str, ...]
    example: str
    build: Callable[[Sequence[Path], Path], None]

    @property
    def folder(self) -> Path:
        """Where it lies once it was got."""
        return cache_folder("backbones") / self.name

    @property
    def download(self) -> int:
        """Bytes of all wheels."""
        return sum(archive.size for archive in self.archives)
