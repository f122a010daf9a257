"""Majority: the most frequent class of the source train split, for every item. The floor below all floors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled


@dataclass(frozen=True)
class Majority:
    """Predicts the class shares of the train split; it has no hyper-parameters, and the seed changes nothing."""

    uses_backbone: ClassVar[bool] = False
    reads_text: ClassVar[bool] = False
    uses_seed: ClassVar[bool] = False
    procedure: ClassVar[str] = "counts of classes"

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> ClassShares:
        """Count the classes; dev is not looked at."""
        counts = np.bincount(train.gold, minlength=len(context.labels))
        return ClassShares((counts / len(train)).astype(np.float32))

    def load(self, folder: Path, context: Context) -> ClassShares:
        """Restore what `ClassShares.save` wrote."""
        return ClassShares(np.asarray(json.loads((folder / "shares.json").read_text(encoding="utf-8")), np.float32))


class ClassShares:
    """The class shares of a train split, shape (classes,)."""

    summary = FitSummary()

    def __init__(self, shares: Scores) -> None:
        self.shares = shares

    def predict(self, examples: Sequence[Example]) -> Scores:
        """The shares as scores, the same for every item."""
        return np.tile(self.shares, (len(examples), 1))

    def save(self, folder: Path) -> None:
        """Write `shares.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shares.json").write_text(json.dumps(self.shares.tolist()), encoding="utf-8")
