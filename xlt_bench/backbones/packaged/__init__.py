"""Backbones that come as ordinary packages of the Python registry, for machines that reach no hub.

Their packages are read as archives: nothing of them is installed or run. A further one is a file like `e5_small.py`
and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xlt_bench.backbones.packaged.base import Archive, PackagedBackbone
from xlt_bench.backbones.packaged.e5_small import E5_SMALL
from xlt_bench.backbones.packaged.smollm2 import SMOLLM2

__all__ = ["PACKAGED", "Archive", "PackagedBackbone"]

PACKAGED: Mapping[str, PackagedBackbone] = MappingProxyType(
    {backbone.name: backbone for backbone in (E5_SMALL, SMOLLM2)}
)
"""By the name that `--backbone` and `backbone get` take."""
