"""The Ray engine: packs of cells as tasks of a Ray cluster, whose Records come back through the shared store."""

from __future__ import annotations

from xlt_bench.engines.ray.engine import RayEngine
from xlt_bench.engines.ray.profile import RayProfile

__all__ = ["RayEngine", "RayProfile"]
