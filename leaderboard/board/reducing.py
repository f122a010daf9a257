"""Answers in some languages, reduced to scores by seed and cluster of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.items import Items, LanguageItems
from xlt_bench.leaderboard.data.seed_answers import SeedAnswers, count_hits
from xlt_bench.metrics import Metric
from xlt_bench.metrics.base import CountsHits, Values
from xlt_bench.stats import reduce, sum_by_cluster


@dataclass(frozen=True)
class Reduced:
    """Scores of the plain mean over some languages.

    Attributes:
        x: (seeds, clusters that occur in these languages).
        items: how many items occur.
        draw_key: hash of the ids and clusters of these items; rows with the same one share the bootstrap's draw.
    """

    x: Values
    items: int
    draw_key: bytes

    @property
    def testable(self) -> bool:
        """Whether there are two clusters, without which nothing says how far other items would be."""
        return bool(self.x.shape[1] > 1)


def mean_over_languages(values: Values, codes: Sequence[str], items: LanguageItems) -> Values:
    """(seeds, items that occur) of values (seeds, languages, items) in these languages."""
    present = values[:, :, items.occurring]
    # with every item in every language `reduce` is a plain mean, many times slower
    return reduce(present, codes) if np.isnan(present).any() else present.mean(axis=1)


def reduced(by_item: Values, items: LanguageItems) -> Reduced:
    """From the means over languages (seeds, items that occur)."""
    if items.cluster_count == 1:
        x = by_item.mean(axis=1, keepdims=True)
    elif items.cluster_count < len(items.clusters):
        x = sum_by_cluster(by_item, items.clusters)
    else:
        x = by_item
    return Reduced(x, len(items.clusters), items.draw_key)


@dataclass
class Reductions:
    """Remembers what was reduced: the languages of a row are mostly those that all ranked rows have.

    Attributes:
        metric: of all scores.
    """

    metric: Metric
    _reduced: dict[tuple[str, tuple[str, ...]], Reduced] = field(default_factory=dict)
    _values: dict[str, Values] = field(default_factory=dict)

    def values(self, entry: Entry, languages: tuple[str, ...]) -> Values:
        """(seeds, languages, items) values of an entry in these languages, which every seed must have."""
        assert entry.answers is not None
        return self._values_of(entry.key, entry.answers, languages)

    def clusters_in(self, entry: Entry, languages: tuple[str, ...]) -> tuple[NDArray[np.bool_], list[int]]:
        """Which items occur in these languages (items,), and the number of the cluster of each that does."""
        assert entry.answers is not None
        items = entry.answers.items.of_languages(languages)
        return items.occurring, items.clusters.tolist()

    def of(self, entry: Entry, languages: tuple[str, ...]) -> Reduced:
        """The entry's answers in these languages, which every seed must have."""
        key = (entry.key, languages)
        if key not in self._reduced:
            answers = entry.answers
            assert answers is not None
            items = answers.items.of_languages(languages)
            if isinstance(self.metric, CountsHits) and items.are_whole:
                by_item = count_hits(answers.hits(self.metric, languages), axis=1) / len(languages)
            else:
                by_item = mean_over_languages(self.values(entry, languages), languages, items)
            self._reduced[key] = reduced(by_item, items)
        return self._reduced[key]

    def majority(self, items: Items, languages: tuple[str, ...]) -> Reduced:
        """Of always answering the most frequent class."""
        key = ("", languages)
        if key not in self._reduced:
            rows = items.rows(languages)
            values = self.metric.values(items.gold[rows], items.majority[:, rows], len(items.labels))
            of_languages = items.of_languages(languages)
            self._reduced[key] = reduced(mean_over_languages(values, languages, of_languages), of_languages)
        return self._reduced[key]

    def _values_of(self, key: str, answers: SeedAnswers, languages: tuple[str, ...]) -> Values:
        if self.metric.of_items:
            return answers.values(self.metric, languages)
        if key not in self._values:  # slow to compute again for every group
            self._values[key] = answers.values(self.metric, answers.languages)
        positions = {code: position for position, code in enumerate(answers.languages)}
        return self._values[key][:, [positions[code] for code in languages]]
