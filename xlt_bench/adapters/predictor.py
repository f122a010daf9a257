"""What an adapter predicts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from xlt_bench.method import Scores
from xlt_bench.task import Example


class Predictor(Protocol):
    """What gives scores in the adapter's own order of classes."""

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, the adapter's classes), float32, in the order given."""
