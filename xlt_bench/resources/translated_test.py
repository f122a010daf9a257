"""translated-test: a target's test items in the source language.

In a parallel task it is a translation by people, such as no user of a system has: an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xlt_bench.resources.base import Scope, Supply
from xlt_bench.resources.renderings import TRANSLATED_TEST, renderings


@dataclass(frozen=True)
class TranslatedTest:
    """See `Resource`. Content: target's code -> `test` -> what each item is in the first source language.

    The items themselves bear it (`Example.rendering`).
    """

    name: str = TRANSLATED_TEST
    summary: str = "what the targets' test items are in the source language"
    path: str | None = None

    def supply(self, scope: Scope) -> Supply:
        """The source's items of the same ids."""
        content = renderings(scope, ("test",), self.name)
        return Supply(
            content,
            f"Read each test item in {scope.sources[0]} too, as people translated it: an upper bound, not a system.",
        )

    def example(self, scope: Scope, folder: Path) -> None:
        """It takes no file."""
