"""Engines: how cells are carried out. An engine maps `Runner.run` over packs of an experiment's cells."""

from __future__ import annotations

from xlt_bench.engines.base import Engine, Means, Waiting, carry_out, wait_silently
from xlt_bench.engines.local import LocalEngine

__all__ = ["Engine", "LocalEngine", "Means", "Waiting", "carry_out", "wait_silently"]
