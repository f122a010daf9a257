"""Macro-F1: the plain mean over classes of F1, which counts a rare class as much as a frequent one."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.metrics.base import Classes, Values
from xlt_bench.stats import macro_f1_pseudo_values


@dataclass(frozen=True)
class MacroF1:
    """A language's macro-F1 plus each item's influence on it.

    Classes are the task's; one that a language's test items neither have nor were answered with is left out of that
    language's mean, as in scikit-learn.
    """

    name: str = "macro-f1"
    title: str = "macro-F1"
    of_items: bool = False

    def values(self, gold: Classes, predicted: Classes, classes: int) -> Values:
        """See `Metric`."""
        return macro_f1_pseudo_values(gold, predicted, classes)
