"""Calibration: what a model says of texts that say nothing, or of many texts, is taken off what it says of a text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlt_bench.task import Example

CONTENT_FREE = ("N/A", "[MASK]", "")
"""Texts that say nothing, by which scores are calibrated (Zhao et al. 2021)."""


def content_free(language: str, is_pair: bool) -> list[Example]:
    """Items, or pairs of texts, that say nothing."""
    return [Example("", language, text, text if is_pair else None) for text in CONTENT_FREE]


def log_prior(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the classes' mean shares, (classes,).

    Subtracted from scores it divides their shares by these means.

    Args:
        scores: of some texts, (texts, classes); a text's shares are their softmax.
    """
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    log_means: NDArray[np.float64] = np.log(shares.mean(0))
    return log_means
