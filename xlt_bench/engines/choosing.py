"""Which engine carries out a command's cells: a name of `xlt-bench ls engines`, also one of another package."""

from __future__ import annotations

from collections.abc import Callable

from xlt_bench.engines.base import Engine, Means
from xlt_bench.plugins.registry import ENGINES, load, lookup


def engine_of(name: str, means: Means) -> Engine:
    """The engine of this name.

    Raises:
        ConfigError: there is none, or it refuses what it is given.
    """
    make: Callable[[Means], Engine] = load(ENGINES, lookup(ENGINES, name))
    return make(means)
