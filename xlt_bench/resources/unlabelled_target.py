"""unlabelled-target: the texts of each target's train split, without labels.

In a parallel task such as SIB-200 the n-th train item of every language has the same id, the same place in its file and
the same label: with ids or order, a target's texts would be its labelled train split. So ids are dropped, and texts
come in the order of a hash of the text itself, one language at a time. Dev and test texts are never handed out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Scope, Supply, listed, without_order

UNLABELLED_TARGET = "unlabelled-target"


@dataclass(frozen=True)
class UnlabelledTarget:
    """See `Resource`. Content: target's code -> its texts."""

    name: str = UNLABELLED_TARGET
    summary: str = "texts of the targets' train split, without labels, ids and order"
    path: str | None = None
    needs_path: bool = False

    def supply(self, scope: Scope) -> Supply:
        """The train texts of every target."""
        missing = [code for code in scope.targets if not len(scope.task.split(code, "train"))]
        if missing:
            raise ConfigError(
                f"task {scope.task.name} has no train split for {listed(missing)}, and the method needs {self.name}; "
                "leave these out of --targets"
            )
        texts = {code: without_order(scope.task.split(code, "train").examples) for code in scope.targets}
        count = sum(map(len, texts.values()))
        return Supply(
            MappingProxyType(texts), f"Saw {count:,} unlabelled train texts of its {len(texts)} target languages."
        )

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""
