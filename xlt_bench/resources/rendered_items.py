"""A target's items in the source language: those that it learns from (translate-train), and those of its test split.

With the labels that --protocol full gives, the first is what translating the source's train split into the target
makes. The second (translated-test) is, in a parallel task, a translation by people, such as no user of a system has;
that of a machine comes in files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlt_bench.io.texts import shortened
from xlt_bench.resources.base import Scope, Supply
from xlt_bench.resources.renderings import TRANSLATE_TRAIN, TRANSLATED_TEST, Renderings, count_of_task, renderings
from xlt_bench.task import Split

_FROM_FOLDER = "folder"
"""Origin of what a user's files say; the task itself is the usual one."""


@dataclass(frozen=True)
class RenderedItems:
    """See `Resource`. Content: target's code -> split -> what each item is in the first source language.

    The items themselves bear it (`Example.rendering`).

    Attributes:
        splits: of which items.
        usage: what a method did with them, a sentence with a place for the {source} language, without its full stop.
        addition: what more must be said where the task itself has them.
    """

    name: str
    summary: str
    splits: tuple[Split, ...]
    usage: str
    addition: str = ""
    path: str | None = "FOLDER"
    needs_path: bool = False

    def supply(self, scope: Scope) -> Supply:
        """What the user's folder says, or else the source's items of the same ids."""
        content = renderings(scope, self.splits, self.name)
        usage = self.usage.format(source=scope.sources[0])
        if scope.path is None:
            return Supply(content, f"{usage}{self.addition}.")
        return Supply(
            content,
            f"{usage}, as a folder '{shortened(scope.path.resolve().name)}' has it{_shared_with_task(scope, content)}.",
            _FROM_FOLDER,
        )

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file: the toy's items are parallel."""


def _shared_with_task(scope: Scope, content: Renderings) -> str:
    """How many are no machine's work."""
    count = count_of_task(scope, content)
    return f"; {count:,} of its texts are the task's own" if count else ""


RENDERED_ITEMS = (
    RenderedItems(
        TRANSLATE_TRAIN,
        "what the targets' train and dev items are in the source language",
        ("train", "dev"),
        "Had each train and dev item of its target in {source} too",
    ),
    RenderedItems(
        TRANSLATED_TEST,
        "what the targets' test items are in the source language",
        ("test",),
        "Read each test item in {source} too",
        ", as people translated it: an upper bound, not a system",
    ),
)
