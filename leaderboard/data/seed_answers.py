"""The answers of one configuration, all of its seeds together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.items import Items
from xlt_bench.metrics import Metric
from xlt_bench.metrics.base import CountsHits, Values
from xlt_bench.records.answers import ABSENT, Classes


@dataclass(frozen=True)
class RunAnswers:
    """The answers of one run.

    Attributes:
        predicted: (its languages, its items) positions of classes, -1 where an answer names none.
        rows, columns: where these languages and items lie among those of `Items`.
    """

    predicted: Classes
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


@dataclass(frozen=True)
class SeedAnswers:
    """Answers by seed.

    Attributes:
        seeds: those with predictions, in order.
        predicted: (seeds, languages, items) of `items`: positions of classes, -1 where an answer names none.
        present: (seeds, languages) whether a seed has predictions in a language.
    """

    seeds: tuple[int, ...]
    items: Items
    predicted: Classes
    present: NDArray[np.bool_]

    @staticmethod
    def of(runs: Mapping[int, Sequence[RunAnswers]], items: Items) -> SeedAnswers:
        """From the runs of each seed; of several that have a language the first one's answers count."""
        predicted = np.full((len(runs), *items.gold.shape), ABSENT, items.gold.dtype)
        present = np.zeros(predicted.shape[:2], bool)
        every_item = np.arange(len(items.items))
        for seed, of_seed in enumerate(runs.values()):
            for run in reversed(of_seed):
                answers = run.predicted
                if not np.array_equal(run.columns, every_item):
                    answers = np.full((len(run.rows), len(items.items)), ABSENT, predicted.dtype)
                    answers[:, run.columns] = run.predicted
                predicted[seed, run.rows] = answers
                present[seed, run.rows] = True
        return SeedAnswers(tuple(runs), items, predicted, present)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those that every seed has."""
        return tuple(self.items.codes[row] for row in np.flatnonzero(self.present.all(axis=0)))

    @cached_property
    def content(self) -> bytes:
        """What draws of seeds follow from: the answers and nothing else."""
        answers = self.predicted.astype(np.int16).tobytes() + self.present.tobytes()
        return hashlib.sha256(repr(self.seeds).encode() + answers).digest()

    def with_seeds(self, seeds: Sequence[int]) -> SeedAnswers:
        """Those of these seeds alone."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), predicted=self.predicted[rows], present=self.present[rows])

    def values(self, metric: Metric, codes: Sequence[str]) -> Values:
        """(seeds, languages, items) values in these languages, which every seed must have; NaN: no such item."""
        rows = self.items.rows(codes)
        return metric.values(self.items.gold[rows], self.predicted[:, rows], len(self.items.labels))

    def hits(self, metric: CountsHits, codes: Sequence[str]) -> NDArray[np.bool_]:
        """(seeds, languages, items) which answers count 1, in these languages, which must lack no item."""
        rows = self.items.rows(codes)
        return metric.hits(self.items.gold[rows], self.predicted[:, rows])

    def by_language(self, metric: Metric) -> dict[str, float]:
        """The score by language in [0, 1], mean over seeds, of the languages that every seed has."""
        if not self.languages:
            return {}
        if isinstance(metric, CountsHits) and self.items.of_languages(self.languages).are_whole:
            by_seed = count_hits(self.hits(metric, self.languages), axis=2) / len(self.items.items)
        else:
            by_seed = np.nanmean(self.values(metric, self.languages), axis=2)
        return dict(zip(self.languages, by_seed.mean(axis=0).tolist(), strict=True))


def count_hits(hits: NDArray[np.bool_], axis: int) -> NDArray[np.unsignedinteger[Any]]:
    """How many there are along an axis; in the smallest type that holds the number, which is many times quicker."""
    counts: NDArray[np.unsignedinteger[Any]] = hits.view(np.uint8).sum(
        axis=axis, dtype=np.min_scalar_type(hits.shape[axis])
    )
    return counts
