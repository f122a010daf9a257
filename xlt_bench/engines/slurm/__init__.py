"""The Slurm engine: packs of cells as jobs of a cluster, whose Records come back through the shared store."""

from __future__ import annotations

from xlt_bench.engines.slurm.engine import SlurmEngine
from xlt_bench.engines.slurm.profile import SlurmProfile

__all__ = ["SlurmEngine", "SlurmProfile"]
