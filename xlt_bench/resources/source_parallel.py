"""source-parallel: which labelled items of the sources say the same, because they share an id.

Nothing is loaded for it: a fit that declares it sees the ids of its train and dev items, which are mere numbers
otherwise. It says nothing about a target.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Scope, Supply, listed

SOURCE_PARALLEL = "source-parallel"


@dataclass(frozen=True)
class SourceParallel:
    """See `Resource`. Content: id of a train item -> the source languages that have it, two or more."""

    name: str = SOURCE_PARALLEL
    summary: str = "which train items of the sources share an id, being translations of each other"
    path: str | None = None
    needs_path: bool = False

    def supply(self, scope: Scope) -> Supply:
        """The ids that two sources or more share."""
        languages: dict[str, tuple[str, ...]] = {}
        for code in scope.sources:
            for item in sorted({example.id for example in scope.task.split(code, "train").examples}):
                languages[item] = (*languages.get(item, ()), code)
        shared = {item: codes for item, codes in languages.items() if len(codes) > 1}
        if not shared:
            raise ConfigError(
                f"no two train items of the sources ({listed(scope.sources) or 'none'}) share an id, and the method "
                f"needs {self.name}; give two source languages or more of a task with parallel items"
            )
        return Supply(MappingProxyType(shared), f"Uses that {len(shared):,} train items of its sources are parallel.")

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""
