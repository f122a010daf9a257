"""Nearest class centroid: the class whose mean training vector is closest in angle, on mean-pooled frozen features.

Vectors are centred on the mean of the training texts and brought to unit length before anything else ("CL2N" of Wang,
Chao, Weinberger & van der Maaten, 2019): the states of an encoder all point one way, and raw angles hardly differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.method import Context, DevPoint, FitSummary, Scores
from xlt_bench.task import Example, Labelled
from xlt_bench.tasks.sampling import stratified
from xlt_bench.training.mean_pooled import MeanPooled
from xlt_bench.training.saving import load_fit, save_fit

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the target's centroids in those of an adapted fit; dev selects."""


@dataclass(frozen=True)
class NearestCentroid:
    """No hyper-parameters, and the seed changes nothing. Dev is not looked at, except to adapt."""

    uses_backbone: ClassVar[bool] = True
    tunes: ClassVar[tuple[str, ...]] = ()
    uses_seed: ClassVar[bool] = False
    procedure: ClassVar[str] = "means of mean-pooled states, class by class"

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Centroids:
        """Average the vectors of each class."""
        pooled = MeanPooled(context.backbone, context.recipe)
        vectors = pooled(train.examples, context.progress)
        mean = vectors.mean(0)
        centroids = _centroids(_unit(vectors - mean), train, len(context.labels))
        return Centroids(pooled, mean, centroids, FitSummary(centroids.size))

    def load(self, folder: Path, context: Context) -> Centroids:
        """Restore what `Centroids.save` wrote."""
        weights, summary = load_fit(folder)
        pooled = MeanPooled(context.backbone, context.recipe)
        return Centroids(pooled, weights["mean"].numpy(), weights["centroids"].numpy(), summary)


class Centroids:
    """The mean of all training vectors, shape (d,), and the classes' centroids, shape (classes, d)."""

    def __init__(
        self, pooled: MeanPooled, mean: NDArray[np.float64], centroids: NDArray[np.float64], summary: FitSummary
    ) -> None:
        self._pooled = pooled
        self.mean = mean
        self.centroids = centroids
        self.summary = summary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Cosines of shape (items, classes), float32, in the order given."""
        return _cosines(self._vectors(examples), self.centroids).astype(np.float32)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> Centroids:
        """Move the centroids towards those of a target language, by the share that is best on dev."""
        dev = stratified(dev, context.recipe.dev_limit)
        dev_vectors, vectors = self._vectors(dev.examples), self._vectors(train.examples)
        target = _centroids(vectors, train, len(self.centroids), otherwise=self.centroids)
        moved = [(1 - share) * self.centroids + share * target for share in SHARES]
        accuracies = [float((_cosines(dev_vectors, centroids).argmax(1) == dev.gold).mean()) for centroids in moved]
        history = tuple(DevPoint(number, 0.0, 1 - value, value) for number, value in enumerate(accuracies, start=1))
        best = int(np.argmax(accuracies))
        summary = FitSummary(target.size, 0, best + 1, history)
        return Centroids(self._pooled, self.mean, moved[best], summary)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `fit.json`."""
        arrays = {"mean": self.mean, "centroids": self.centroids}
        save_fit(folder, {name: torch.from_numpy(array) for name, array in arrays.items()}, self.summary)

    def _vectors(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        return _unit(self._pooled(examples) - self.mean)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of length 1, or 0 where there is no direction."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    directions: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return directions


def _centroids(
    vectors: NDArray[np.float64], part: Labelled, classes: int, otherwise: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Mean vector of each class; that of a class without items is taken from `otherwise`, or zero."""
    means = np.zeros((classes, vectors.shape[1])) if otherwise is None else otherwise.copy()
    for label in np.unique(part.gold):
        means[label] = vectors[part.gold == label].mean(0)
    return means


def _cosines(vectors: NDArray[np.float64], centroids: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (items, classes); -1, the least there is, for a class that has no centroid."""
    missing = ~centroids.any(axis=1)
    return np.where(missing, -1.0, vectors @ _unit(centroids).T)
