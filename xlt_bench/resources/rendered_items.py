"""A target's items in the source language: those that it learns from (translate-train), and those of its test split.

With the labels that --protocol full gives, the first is what translating the source's train split into the target
makes. The second (translated-test) is, in a parallel task, a translation by people, such as no user of a system has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlt_bench.resources.base import Scope, Supply
from xlt_bench.resources.renderings import TRANSLATE_TRAIN, TRANSLATED_TEST, renderings
from xlt_bench.task import Split


@dataclass(frozen=True)
class RenderedItems:
    """See `Resource`. Content: target's code -> split -> what each item is in the first source language.

    The items themselves bear it (`Example.rendering`).

    Attributes:
        splits: of which items.
        usage: what a method did with them, a sentence with a place for the {source} language.
    """

    name: str
    summary: str
    splits: tuple[Split, ...]
    usage: str
    path: str | None = None

    def supply(self, scope: Scope) -> Supply:
        """The source's items of the same ids."""
        content = renderings(scope, self.splits, self.name)
        return Supply(content, self.usage.format(source=scope.sources[0]))

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""


RENDERED_ITEMS = (
    RenderedItems(
        TRANSLATE_TRAIN,
        "what the targets' train and dev items are in the source language",
        ("train", "dev"),
        "Had each train and dev item of its target in {source} too.",
    ),
    RenderedItems(
        TRANSLATED_TEST,
        "what the targets' test items are in the source language",
        ("test",),
        "Read each test item in {source} too, as people translated it: an upper bound, not a system.",
    ),
)
