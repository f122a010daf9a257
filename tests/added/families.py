"""language-families: the family of each language of a run, as the task gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xlt_bench.resources.base import Scope, Supply


@dataclass(frozen=True)
class LanguageFamilies:
    """See `Resource`. Content: language code -> family."""

    name: str = "language-families"
    summary: str = "which languages are related"
    path: str | None = None
    needs_path: bool = False

    def supply(self, scope: Scope) -> Supply:
        """The families of sources and targets."""
        codes = dict.fromkeys((*scope.sources, *scope.targets))
        families = {code: scope.task.languages[code].family for code in codes}
        return Supply(MappingProxyType(families), f"Knew the families of its {len(families)} languages.")

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""
