"""Balanced accuracy: the plain mean over classes of the share of their items that are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlt_bench.metrics.base import Classes, Values


@dataclass(frozen=True)
class BalancedAccuracy:
    """A right answer counts the more, the rarer its class is in the language."""

    name: str = "balanced-accuracy"
    title: str = "balanced accuracy"
    of_items: bool = True

    def values(self, gold: Classes, predicted: Classes, classes: int) -> Values:
        """See `Metric`."""
        counts = np.stack([(gold == label).sum(1) for label in range(classes)], 1)
        present = (counts > 0).sum(1, keepdims=True)
        items = (gold >= 0).sum(1, keepdims=True)
        weights = items / (present * np.take_along_axis(counts, np.maximum(gold, 0), 1).clip(min=1))
        return np.where(gold < 0, np.nan, (predicted == gold) * weights)
