"""Source-dev accuracy of a trial with its standard error, and that of the difference of two trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.answers import ABSENT, Sheet
from xlt_bench.stats import reduce, two_way, two_way_difference


@dataclass(frozen=True)
class Score:
    """Source-dev accuracy in [0, 1], the plain mean over languages, with its standard error over items and seeds.

    `error` is None where there is one item only.
    """

    accuracy: float
    error: float | None


def score(fits: Sequence[Sheet]) -> Score:
    """The score of a trial, whose fits differ in their seed."""
    x = _reduced(fits)
    return Score(float(x.mean()), float(np.sqrt(two_way(x).variance)) if x.shape[1] > 1 else None)


def difference(fits: Sequence[Sheet], default_fits: Sequence[Sheet]) -> Score:
    """The score of one trial less that of another, items paired."""
    a, b = _reduced(fits), _reduced(default_fits)
    error = float(np.sqrt(two_way_difference(a, b).variance)) if a.shape[1] > 1 else None
    return Score(float(a.mean() - b.mean()), error)


def _reduced(fits: Sequence[Sheet]) -> NDArray[np.float64]:
    """(seeds, items) scores; see `xlt_bench.stats.reduce`."""
    correct = np.stack([fit.correct for fit in fits]).astype(np.float64)
    correct[correct == ABSENT] = np.nan
    return reduce(correct, fits[0].codes)
