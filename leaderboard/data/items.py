"""The languages, items, clusters and classes that the runs of a task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xlt_bench.metrics import Metric
from xlt_bench.records.answers import ABSENT, Classes


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

    @cached_property
    def majority(self) -> Classes:
        """(1, languages, items) the answers of who always says the class that is most frequent over all languages."""
        present = self.gold[self.gold != ABSENT]
        most = np.bincount(present).argmax() if len(present) else 0
        return np.full((1, *self.gold.shape), most, np.int16)

    def chance(self, metric: Metric) -> dict[str, float]:
        """The score of `majority` by language, in [0, 1]."""
        present = (self.gold != ABSENT).any(axis=1)
        rows = np.flatnonzero(present)
        if not len(rows):
            return {}
        values = metric.values(self.gold[rows], self.majority[:, rows], len(self.labels))
        return {self.codes[row]: float(score) for row, score in zip(rows, np.nanmean(values[0], axis=1), strict=True)}
