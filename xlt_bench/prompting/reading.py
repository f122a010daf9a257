"""From answers to scores, and what a run's answers took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xlt_bench.method import Scores
from xlt_bench.prompting.method import Tally

USAGE = "usage"
"""Under `fit.report` of a Record."""


def scores_of(classes: Sequence[str | None], labels: Sequence[str]) -> Scores:
    """1 for the class of each answer, 0 for the others, (answers, classes), float32; a row of NaN without a class."""
    scores = np.zeros((len(classes), len(labels)), np.float32)
    for row, label in enumerate(classes):
        if label is None:
            scores[row] = np.nan
        else:
            scores[row, labels.index(label)] = 1.0
    return scores


def usage(tally: Tally, prompt_tokens: int, answer_tokens: int, **further: Any) -> Mapping[str, Any]:
    """What a Record tells of the answers of a run, under `usage`."""
    return {
        USAGE: {
            "items": tally.items,
            "abstained": tally.abstained,
            "unread_answers": list(tally.unread),
            "prompt_tokens": prompt_tokens,
            "answer_tokens": answer_tokens,
            **further,
        }
    }
