"""An adapter ready to predict: texts in, scores in the task's order of classes out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from xlt_bench.adapters.folder import CONFIG, WEIGHTS, AdapterFolder
from xlt_bench.method import FitSummary, Scores
from xlt_bench.task import Example


class Predictor(Protocol):
    """What gives scores in the adapter's own order of classes."""

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, the adapter's classes), float32, in the order given."""


@dataclass
class Scorer:
    """Follows the protocol of a fitted method.

    Attributes:
        columns: for each class of the task, the adapter's class that it is.
    """

    adapter: AdapterFolder
    predictor: Predictor
    columns: Sequence[int]
    summary: FitSummary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes of the task), float32, in the order given."""
        return np.ascontiguousarray(self.predictor.predict(examples)[:, self.columns])

    def save(self, folder: Path) -> None:
        """Copy the adapter's files."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CONFIG, WEIGHTS):
            shutil.copyfile(self.adapter.folder / name, folder / name)
