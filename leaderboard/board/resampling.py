"""The bootstrap's resampled means of rows, each row's draw being the same on every board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlt_bench.leaderboard.board.measuring import GroupMeasurement
from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.reducing import Reduced
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.metrics.base import Values
from xlt_bench.stats import percentile_bounds, percentile_p, resampled_means

RESAMPLES = 10_000


@dataclass(frozen=True)
class Resampler:
    """Resampled means as far as a board needs them."""

    options: Options

    def bounds(self, measured: Sequence[GroupMeasurement]) -> dict[str, Bounds]:
        """By key of the entry, the interval on the row's own languages; none where the board shows none."""
        if not self.options.shows_bootstrap:
            return {}
        rows = [(row.entry, row.reduced) for row in measured if row.reduced is not None and row.reduced.testable]
        bounds = {}
        for key, means in resampled(rows).items():
            low, high = percentile_bounds(means, self.options.level)
            bounds[key] = Bounds(float(low), float(high))
        return bounds

    def tests(self, rows: Sequence[tuple[Entry, Reduced]], languages: tuple[str, ...]) -> dict[str, Values]:
        """By key of the entry its resampled means (resamples,), where tests are of the bootstrap."""
        if self.options.interval != "bootstrap":
            return {}
        return resampled([(entry, score) for entry, score in rows if score.testable])


def resampled(rows: Sequence[tuple[Entry, Reduced]]) -> dict[str, Values]:
    """By key of the entry its resampled means (resamples,).

    The draw of clusters follows from which items they are, that of a row's seeds from its answers: a board is the same
    whoever makes it, and from the same Records also row by row when others are added.
    """
    draws: dict[str, Values] = {}
    for draw_key in dict.fromkeys(score.draw_key for _, score in rows):
        alike = [(entry, score.x) for entry, score in rows if score.draw_key == draw_key]
        means = resampled_means(
            [x for _, x in alike],
            key=draw_key,
            seed_keys=[entry.answers.content for entry, _ in alike if entry.answers is not None],
            resamples=RESAMPLES,
        )
        draws |= {entry.key: mean for (entry, _), mean in zip(alike, means, strict=True)}
    return draws


def pairwise_p(draws: Values) -> Values:
    """Of every pair of (rows, resamples); where nothing varies 1 for equal means and no test for others."""
    p = np.full((len(draws), len(draws)), np.nan)
    for row, means in enumerate(draws):
        gaps = means - draws[row + 1 :]
        still = np.ptp(gaps, axis=1) == 0
        p[row, row + 1 :] = np.where(still & (gaps[:, 0] != 0), np.nan, percentile_p(gaps))
    lower = np.tril_indices(len(p), k=-1)
    p[lower] = p.T[lower]
    return p
