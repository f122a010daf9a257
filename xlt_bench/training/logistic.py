"""Multinomial logistic regression with an L2 penalty, fitted by L-BFGS; its strength chosen on a dev split.

The objective of scikit-learn's `LogisticRegression` with C = 1 / (items x strength): the penalty spares the biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from xlt_bench.method import Activity, Context, DevPoint, FitSummary
from xlt_bench.task import Labelled

Features = NDArray[np.float64] | Any
"""Shape (items, features): an array, or a scipy CSR matrix."""

_ITERATIONS = 100
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Linear:
    """A linear model: weights of shape (features, classes), biases of shape (classes,)."""

    weights: NDArray[np.float64]
    biases: NDArray[np.float64]

    @staticmethod
    def zero(features: int, classes: int) -> Linear:
        """The model that tells no class from another."""
        return Linear(np.zeros((features, classes)), np.zeros(classes))

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.weights.size + self.biases.size

    def rows(self, index: NDArray[np.int32]) -> Linear:
        """The model over some of the features."""
        return Linear(self.weights[index], self.biases)

    def with_rows(self, index: NDArray[np.int32], model: Linear) -> Linear:
        """This model with the weights of some features, and the biases, taken from a model over them."""
        weights = self.weights.copy()
        weights[index] = model.weights
        return Linear(weights, model.biases)

    def logits(self, features: Features) -> NDArray[np.float64]:
        """Shape (items, classes)."""
        logits: NDArray[np.float64] = features @ self.weights + self.biases
        return logits


def fit(features: Features, gold: NDArray[np.int64], strength: float, start: Linear, centre: Linear) -> Linear:
    """Minimise the mean cross-entropy + strength / 2 x the squared distance of the weights to those of `centre`.

    Args:
        features: shape (items, features).
        gold: shape (items,).
        strength: of the penalty, above 0.
        start: where to begin; the objective is convex, so it decides nothing but the time.
        centre: where the penalty is nil: zeros, or a model to stay close to.
    """
    if isinstance(features, csr_matrix) and len(used := np.unique(features.indices)) < features.shape[1]:
        inner = fit(features[:, used], gold, strength, start.rows(used), centre.rows(used))
        return centre.with_rows(used, inner)  # what occurs in no item stays where the penalty is nil
    shape, cut = start.weights.shape, start.weights.size
    truth = np.zeros((len(gold), shape[1]))
    truth[np.arange(len(gold)), gold] = 1.0
    back = csr_matrix(features.T) if isinstance(features, csr_matrix) else features.T

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        model = Linear(flat[:cut].reshape(shape), flat[cut:])
        log_shares = log_softmax(model.logits(features), axis=1)
        wrong = (np.exp(log_shares) - truth) / len(gold)
        away = model.weights - centre.weights
        loss = -float((log_shares * truth).sum()) / len(gold) + 0.5 * strength * float((away * away).sum())
        return loss, np.concatenate([(back @ wrong + strength * away).ravel(), wrong.sum(0)])

    solution = minimize(
        objective,
        np.concatenate([start.weights.ravel(), start.biases]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "gtol": _TOLERANCE, "ftol": 1e-12},
    ).x
    return Linear(solution[:cut].reshape(shape), solution[cut:])


def select(
    train: tuple[Features, Labelled],
    dev: tuple[Features, Labelled],
    strengths: Sequence[float],
    centre: Linear,
    context: Context,
) -> tuple[Linear, FitSummary]:
    """Fit with every strength, in falling order, and keep the best on dev; of equals the strongest penalty.

    The summary has no steps, as no optimiser makes any; in its history each strength has a number, the first 1.
    """
    context.progress.activity(Activity("training"))
    history: list[DevPoint] = []
    best, model = centre, centre
    for step, strength in enumerate(sorted(strengths, reverse=True), start=1):
        model = fit(train[0], train[1].gold, strength, model, centre)
        train_loss, _ = _score(model, *train)
        point = DevPoint(step, train_loss, *_score(model, *dev))
        context.progress.step(context.seed, step, len(strengths), train_loss, len(train[1]))
        context.progress.evaluated(context.seed, step, point.dev_accuracy)
        if not history or point.dev_accuracy > max(earlier.dev_accuracy for earlier in history):
            best = model
        history.append(point)
    chosen = max(history, key=lambda point: point.dev_accuracy)
    return best, FitSummary(best.size, 0, chosen.step, tuple(history))


def _score(model: Linear, features: Features, part: Labelled) -> tuple[float, float]:
    """Mean cross-entropy, and accuracy."""
    logits = model.logits(features)
    rows = np.arange(len(part))
    loss = -float(log_softmax(logits, axis=1)[rows, part.gold].mean())
    return loss, float((logits.argmax(1) == part.gold).mean())
