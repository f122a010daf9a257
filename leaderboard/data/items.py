"""The languages, items, clusters and classes that the runs of a task agree on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xlt_bench.metrics import Metric
from xlt_bench.records.answers import ABSENT, Classes


@dataclass(frozen=True)
class LanguageItems:
    """The items of some languages.

    Attributes:
        occurring: (items,) which of all occur in any of them.
        clusters: the number of the cluster of each that occurs, in order of the clusters' first items.
        cluster_count: how many clusters that are.
        are_whole: whether each of the languages has every item.
        draw_key: hash of the ids and clusters of those that occur.
    """

    occurring: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    cluster_count: int
    are_whole: bool
    draw_key: bytes


@dataclass(frozen=True)
class Items:
    """What the rows of a board were tested on.

    Attributes:
        codes, items: languages and item ids, sorted.
        clusters: the cluster of each item; its own id where it stands for itself.
        labels: the task's classes.
        gold: (languages, items) positions in `labels`, -1 where a language lacks the item.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    labels: tuple[str, ...]
    gold: Classes
    _of_languages: dict[tuple[str, ...], LanguageItems] = field(default_factory=dict, repr=False)

    @cached_property
    def cluster_numbers(self) -> NDArray[np.intp]:
        """(items,) the number of each item's cluster, equal for items of one cluster."""
        numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(self.clusters))}
        return np.array([numbers[cluster] for cluster in self.clusters], np.intp)

    @cached_property
    def code_positions(self) -> dict[str, int]:
        """Language code -> its row in `gold`."""
        return {code: position for position, code in enumerate(self.codes)}

    def rows(self, codes: Sequence[str]) -> list[int]:
        """The rows of `gold` of these languages, in this order."""
        return [self.code_positions[code] for code in codes]

    def occurring(self, codes: Sequence[str]) -> NDArray[np.bool_]:
        """(items,) whether any of these languages has an item."""
        present: NDArray[np.bool_] = (self.gold[self.rows(codes)] != ABSENT).any(axis=0)
        return present

    def of_languages(self, codes: tuple[str, ...]) -> LanguageItems:
        """The items that occur in these languages; the same object each time."""
        if codes not in self._of_languages:
            occurring = self.occurring(codes)
            names = (f"{self.items[column]}\x1e{self.clusters[column]}" for column in np.flatnonzero(occurring))
            clusters = self.cluster_numbers[occurring].tolist()
            numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
            self._of_languages[codes] = LanguageItems(
                occurring=occurring,
                clusters=np.array([numbers[cluster] for cluster in clusters], np.int64),
                cluster_count=len(numbers),
                are_whole=bool((self.gold[self.rows(codes)] != ABSENT).all()),
                draw_key=hashlib.sha256("\x1f".join(names).encode()).digest(),
            )
        return self._of_languages[codes]

    @cached_property
    def majority(self) -> Classes:
        """(1, languages, items) the answers of who always says the class that is most frequent over all languages."""
        present = self.gold[self.gold != ABSENT]
        most = np.bincount(present).argmax() if len(present) else 0
        return np.full((1, *self.gold.shape), most, self.gold.dtype)

    def chance(self, metric: Metric) -> dict[str, float]:
        """The score of `majority` by language, in [0, 1]."""
        present = (self.gold != ABSENT).any(axis=1)
        rows = np.flatnonzero(present)
        if not len(rows):
            return {}
        values = metric.values(self.gold[rows], self.majority[:, rows], len(self.labels))
        return {self.codes[row]: float(score) for row, score in zip(rows, np.nanmean(values[0], axis=1), strict=True)}
