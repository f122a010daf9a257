"""Which of SIB-200's sentences come from the same article, as far as their numbers tell.

Ids number FLORES-200's sentences in the order of their articles, and SIB-200 was split by sentence: sentences with
near ids are mostly of one article, and often one is in train and the other in test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xlt_bench.tasks.clusters import neighbours

DISTANCE = 2
"""Ids at most this far apart count as one article."""


def article_clusters(ids: Iterable[str]) -> dict[str, str]:
    """Item id -> cluster, the first item whose id leads to it in steps of at most `DISTANCE`."""
    return neighbours({item: int(item) for item in ids}, DISTANCE)


def nearest_classes(train: Mapping[str, str], test: Iterable[str]) -> dict[str, str]:
    """Test id -> class of the train item with the nearest id, the lower one of two; no text is read.

    Args:
        train: id -> class.
    """
    numbers = {int(item): label for item, label in train.items()}
    ascending = sorted(numbers)
    return {item: numbers[min(ascending, key=lambda number: abs(number - int(item)))] for item in test}
