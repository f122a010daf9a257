"""The answers of one configuration, all of its seeds together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xlt_bench.leaderboard.data.items import Items
from xlt_bench.metrics import Metric
from xlt_bench.metrics.base import Values
from xlt_bench.records.answers import Classes


@dataclass(frozen=True)
class RunAnswers:
    """The answers of one run.

    Attributes:
        predicted: (languages, items) of `Items`: positions of classes, -1 where an answer names none.
        present: (languages,) whether the run has predictions in a language.
    """

    predicted: Classes
    present: NDArray[np.bool_]

    def joined(self, run: RunAnswers) -> RunAnswers:
        """With another run's answers in the languages that these lack."""
        predicted = np.where(self.present[:, None], self.predicted, run.predicted)
        return RunAnswers(predicted, self.present | run.present)


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
    def of(runs: dict[int, RunAnswers], items: Items) -> SeedAnswers:
        """From the answers of each seed."""
        predicted = np.stack([run.predicted for run in runs.values()])
        return SeedAnswers(tuple(runs), items, predicted, np.stack([run.present for run in runs.values()]))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Those that every seed has."""
        return tuple(self.items.codes[row] for row in np.flatnonzero(self.present.all(axis=0)))

    @cached_property
    def content(self) -> bytes:
        """What draws of seeds follow from: the answers and nothing else."""
        answers = self.predicted.tobytes() + self.present.tobytes()
        return hashlib.sha256(repr(self.seeds).encode() + answers).digest()

    def with_seeds(self, seeds: Sequence[int]) -> SeedAnswers:
        """Those of these seeds alone."""
        rows = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), predicted=self.predicted[rows], present=self.present[rows])

    def values(self, metric: Metric, codes: Sequence[str]) -> Values:
        """(seeds, languages, items) values in these languages, which every seed must have; NaN: no such item."""
        rows = self.items.rows(codes)
        return metric.values(self.items.gold[rows], self.predicted[:, rows], len(self.items.labels))

    def by_language(self, metric: Metric) -> dict[str, float]:
        """The score by language in [0, 1], mean over seeds, of the languages that every seed has."""
        if not self.languages:
            return {}
        scores = np.nanmean(self.values(metric, self.languages), axis=2).mean(axis=0)
        return dict(zip(self.languages, scores.tolist(), strict=True))
