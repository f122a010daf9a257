"""translate-train: a target's train and dev items in the source language.

With the labels that --protocol full gives, it is what translating the source's train split into the target makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlt_bench.resources.base import Scope, Supply
from xlt_bench.resources.renderings import TRANSLATE_TRAIN, renderings


@dataclass(frozen=True)
class TranslateTrain:
    """See `Resource`. Content: target's code -> `train` and `dev` -> what each item is in the first source language.

    The items themselves bear it (`Example.rendering`).
    """

    name: str = TRANSLATE_TRAIN
    summary: str = "what the targets' train and dev items are in the source language"
    path: str | None = None

    def supply(self, scope: Scope) -> Supply:
        """The source's items of the same ids."""
        content = renderings(scope, ("train", "dev"), self.name)
        return Supply(content, f"Had each train and dev item of its target in {scope.sources[0]} too.")

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""
