"""Accuracy: the share of right answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt_bench.metrics.base import Classes, Values


@dataclass(frozen=True)
class Accuracy:
    """An item counts 1 where its class was answered, else 0."""

    name: str = "accuracy"
    title: str = "accuracy"
    of_items: bool = True

    def values(self, gold: Classes, predicted: Classes, classes: int) -> Values:
        """See `Metric`."""
        return np.where(gold < 0, np.nan, predicted == gold)

    def hits(self, gold: Classes, predicted: Classes) -> NDArray[np.bool_]:
        """See `CountsHits`."""
        hits: NDArray[np.bool_] = predicted == gold
        return hits
