"""What a metric is for boards, comparisons and studies."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.signedinteger[Any]]
Values = NDArray[np.float64]


class Metric(Protocol):
    """Answers to items -> one value an item, whose mean over a language's items is that language's score.

    Intervals and tests are of such means. A metric that is no mean over items (macro-F1) gives pseudo-values: the score
    plus what the item contributes to it.

    Attributes:
        name: on the command line and in files.
        title: in sentences and headings.
        of_items: whether the value of an item depends on the answer to that item alone, so that it is quick to compute
            again for some of the languages.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def of_items(self) -> bool: ...

    def values(self, gold: Classes, predicted: Classes, classes: int) -> Values:
        """The value of each item.

        Args:
            gold: (languages, items) positions of classes, -1 where the language lacks the item.
            predicted: (seeds, languages, items) likewise, -1 where the answer names no class of the task; not read
                where `gold` is -1.
            classes: how many classes the task has, whatever its test items have.

        Returns:
            (seeds, languages, items) values, NaN where the language lacks the item; their mean over the items of a
            language is the score in [0, 1] of that seed and language.
        """
        ...


@runtime_checkable
class CountsHits(Metric, Protocol):
    """A metric by which an item counts 1 or 0, and may say so to be computed many times more quickly."""

    def hits(self, gold: Classes, predicted: Classes) -> NDArray[np.bool_]:
        """Which items count 1.

        Args:
            gold: (languages, items) positions of classes, of languages that have every item.
            predicted: (seeds, languages, items) likewise, -1 where the answer names no class of the task.

        Returns:
            (seeds, languages, items); what `values` says, as booleans.
        """
        ...
