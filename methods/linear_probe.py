"""Linear probe: logistic regression on the frozen backbone's mean-pooled states (Alain & Bengio, 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled
from xlt_bench.tasks.sampling import stratified
from xlt_bench.training.logistic import Linear, select
from xlt_bench.training.mean_pooled import MeanPooled
from xlt_bench.training.saving import load_fit, save_fit

STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001)
"""Of the L2 penalty, on features of unit variance; dev selects."""


@dataclass(frozen=True)
class LinearProbe:
    """No hyper-parameters, and the seed changes nothing: the fit has one solution."""

    uses_backbone: ClassVar[bool] = True
    tunes: ClassVar[tuple[str, ...]] = ()
    uses_seed: ClassVar[bool] = False
    procedure: ClassVar[str] = f"logistic regression on mean-pooled states, {len(STRENGTHS)} penalties tried on dev"

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedProbe:
        """Standardise the features and fit."""
        pooled = MeanPooled(context.backbone, context.recipe)
        features = pooled(train.examples, context.progress)
        mean, deviation = features.mean(0), features.std(0)
        scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        standard = Standardised(pooled, mean, scale)
        zero = Linear.zero(features.shape[1], len(context.labels))
        return _fitted(standard, (features - mean) * scale, train, dev, zero, context)

    def load(self, folder: Path, context: Context) -> FittedProbe:
        """Restore what `FittedProbe.save` wrote."""
        weights, summary = load_fit(folder)
        arrays = {name: value.numpy() for name, value in weights.items()}
        pooled = MeanPooled(context.backbone, context.recipe)
        standard = Standardised(pooled, arrays["mean"], arrays["scale"])
        return FittedProbe(standard, Linear(arrays["weights"], arrays["biases"]), summary)


class Standardised:
    """Mean-pooled features, shifted and scaled."""

    def __init__(self, pooled: MeanPooled, mean: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
        self._pooled = pooled
        self.mean = mean
        self.scale = scale

    def __call__(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Shape (items, d)."""
        return (self._pooled(examples) - self.mean) * self.scale


class FittedProbe:
    """A linear model over standardised features."""

    def __init__(self, features: Standardised, model: Linear, summary: FitSummary) -> None:
        self.features = features
        self.model = model
        self.summary = summary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        return self.model.logits(self.features(examples)).astype(np.float32)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedProbe:
        """Fit to a target language, with the penalty on the distance to this model (Chelba & Acero, 2004)."""
        return _fitted(self.features, self.features(train.examples), train, dev, self.model, context)

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `fit.json`."""
        arrays = {
            "mean": self.features.mean,
            "scale": self.features.scale,
            "weights": self.model.weights,
            "biases": self.model.biases,
        }
        save_fit(folder, {name: torch.from_numpy(array) for name, array in arrays.items()}, self.summary)


def _fitted(
    standard: Standardised,
    features: NDArray[np.float64],
    train: Labelled,
    dev: Labelled,
    centre: Linear,
    context: Context,
) -> FittedProbe:
    dev = stratified(dev, context.recipe.dev_limit)
    model, summary = select((features, train), (standard(dev.examples), dev), STRENGTHS, centre, context)
    return FittedProbe(standard, model, summary)
