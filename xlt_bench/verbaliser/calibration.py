"""Priors of the classes, which scores are calibrated by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xlt_bench.method import Scores
from xlt_bench.prompting.calibration import content_free, log_prior
from xlt_bench.resources import Text
from xlt_bench.task import Example

Kind = Literal["none", "contextual", "batch"]
"""`contextual`: the classes' mean shares of texts that say nothing (Zhao et al. 2021). `batch`: of a language's
unlabelled train texts, as Nie et al. 2023 have it of its test items; a language without any has `contextual`."""

Score = Callable[[Sequence[Example]], Scores]


@dataclass(frozen=True)
class Calibration:
    """Divides shares of classes by their priors.

    Attributes:
        kind: see `Kind`; not `none`.
        score: uncalibrated scores of examples, (items, classes).
        texts: unlabelled texts by language, of `batch`.
    """

    kind: Kind
    score: Score
    texts: Mapping[str, Sequence[Text]]
    _priors: dict[tuple[str, bool], NDArray[np.float64]] = field(default_factory=dict)

    def scores(self, examples: Sequence[Example]) -> Scores:
        """Calibrated scores, (items, classes), float32, in the order given."""
        scores = self.score(examples).astype(np.float64)
        for row, example in zip(scores, examples, strict=True):
            row -= self.prior(example.language, example.text_pair is not None)
        return scores.astype(np.float32)

    def prior(self, language: str, is_pair: bool) -> NDArray[np.float64]:
        """Logarithm of the classes' mean shares, (classes,), for a language's texts or pairs of texts."""
        if (language, is_pair) not in self._priors:
            texts = self.texts.get(language, ()) if self.kind == "batch" else ()
            examples = [Example("", language, text.text, text.text_pair) for text in texts]
            scores = self.score(examples or content_free(language, is_pair))
            self._priors[language, is_pair] = log_prior(scores.astype(np.float64))
        return self._priors[language, is_pair]
