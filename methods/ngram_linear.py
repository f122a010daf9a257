"""Word and character n-grams and a linear model: TF-IDF and logistic regression, no pre-training at all.

The features of SIB-200's "MLP" (arXiv 2309.07445), hashed so that one fixed table serves every script.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled
from xlt_bench.training.logistic import Linear, select
from xlt_bench.training.saving import load_fit, save_fit

STRENGTHS = (1e-3, 1e-4, 1e-5, 1e-6)
"""Of the L2 penalty, on rows of unit length; dev selects."""


@dataclass(frozen=True, kw_only=True)
class NgramLinear:
    """Hashed n-grams, weighted by TF-IDF; the seed changes nothing.

    Args:
        words: words of the longest word n-gram, between white space; 0 leaves words out.
        characters: characters of the longest character n-gram, white space included; 0 leaves characters out.
        buckets: size of the hashed vocabulary.
    """

    uses_backbone: ClassVar[bool] = False
    uses_seed: ClassVar[bool] = False
    procedure: ClassVar[str] = f"logistic regression on TF-IDF of n-grams, {len(STRENGTHS)} penalties tried on dev"

    words: int = 2
    characters: int = 4
    buckets: int = 65_536

    def __post_init__(self) -> None:
        if min(self.words, self.characters) < 0 or self.words + self.characters == 0 or self.buckets < 1:
            raise ConfigError("ngram-linear needs words >= 0 and characters >= 0, not both 0, and buckets >= 1")

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedNgrams:
        """Weigh the n-grams by how rare they are in train, and fit."""
        counts = self.counts(train.examples)
        texts_with = np.bincount(counts.indices, minlength=self.buckets)
        rarity = np.log((1 + len(train)) / (1 + texts_with)) + 1  # as scikit-learn smooths it
        zero = Linear.zero(self.buckets, len(context.labels))
        return self.fitted(rarity, train, dev, zero, context)

    def fitted(
        self, rarity: NDArray[np.float64], train: Labelled, dev: Labelled, centre: Linear, context: Context
    ) -> FittedNgrams:
        """Fit with given weights of the n-grams, close to `centre`."""
        parts = [(self.features(part.examples, rarity), part) for part in (train, dev)]
        model, summary = select(parts[0], parts[1], STRENGTHS, centre, context)
        return FittedNgrams(self, rarity, model, summary)

    def load(self, folder: Path, context: Context) -> FittedNgrams:
        """Restore what `FittedNgrams.save` wrote."""
        weights, summary = load_fit(folder)
        arrays = {name: value.numpy() for name, value in weights.items()}
        return FittedNgrams(self, arrays["rarity"], Linear(arrays["weights"], arrays["biases"]), summary)

    def features(self, examples: Sequence[Example], rarity: NDArray[np.float64]) -> Any:
        """Rows of unit length (or zero), a CSR matrix of shape (items, buckets)."""
        weighted = self.counts(examples) @ diags_array(rarity)
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        return csr_matrix(
            diags_array(np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)) @ weighted
        )

    def counts(self, examples: Sequence[Example]) -> Any:
        """How often each bucket's n-grams occur in each text, a CSR matrix of shape (items, buckets)."""
        rows = [np.fromiter(self._buckets(example), np.int32) for example in examples]
        starts = np.cumsum([0, *(len(row) for row in rows)])
        columns = np.concatenate([np.zeros(0, np.int32), *rows])
        counts = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), self.buckets))
        counts.sum_duplicates()
        return counts

    def _buckets(self, example: Example) -> Iterator[int]:
        for gram in self.ngrams(example):
            yield zlib.crc32(gram.encode()) % self.buckets

    def ngrams(self, example: Example) -> Iterator[str]:
        """Word n-grams, joined and ended by a tab, which no character n-gram is; then character n-grams."""
        texts = (example.text, example.text_pair or "")
        for text in (" ".join(text.casefold().split()) for text in texts if text):
            words = text.split()
            for size in range(1, self.words + 1):
                for start in range(len(words) - size + 1):
                    yield "\t".join(words[start : start + size]) + "\t"
            padded = f" {text} "
            for size in range(1, self.characters + 1):
                for start in range(len(padded) - size + 1):
                    yield padded[start : start + size]


class FittedNgrams:
    """Weights of the n-grams, shape (buckets,), and a linear model."""

    def __init__(self, method: NgramLinear, rarity: NDArray[np.float64], model: Linear, summary: FitSummary) -> None:
        self.method = method
        self.rarity = rarity
        self.model = model
        self.summary = summary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        return self.model.logits(self.method.features(examples, self.rarity)).astype(np.float32)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedNgrams:
        """Fit to a target language, with the penalty on the distance to this model (Chelba & Acero, 2004)."""
        return self.method.fitted(self.rarity, train, dev, self.model, context)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `fit.json`."""
        arrays = {"rarity": self.rarity, "weights": self.model.weights, "biases": self.model.biases}
        save_fit(folder, {name: torch.from_numpy(array) for name, array in arrays.items()}, self.summary)
