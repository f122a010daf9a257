"""Character n-grams and a small MLP: no pre-training at all, the baseline "MLP" of SIB-200 (arXiv 2309.07445).

SIB-200's MLP reads word and character n-gram counts with scikit-learn's defaults; here the n-grams are hashed, so that
one fixed table serves every script, and the network is one hidden layer over the mean of its n-grams' vectors.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, DevPoint, FitSummary, Scores
from xlt_bench.task import Example, Labelled
from xlt_bench.training.saving import load_fit, save_fit
from xlt_bench.training.seeding import seeded

_BATCH = 256


class Bags(nn.Module):
    """Mean of n-gram vectors, ReLU, projection to the classes."""

    def __init__(self, buckets: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(buckets, hidden, mode="mean", sparse=True)
        self.out = nn.Linear(hidden, classes)
        nn.init.normal_(self.table.weight, std=0.1)

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Logits, shape (items, classes), of bags that begin at `offsets` in `ids`."""
        logits: Tensor = self.out(torch.relu(self.table(ids, offsets)))
        return logits


@dataclass(frozen=True, kw_only=True)
class NgramMLP:
    """Hashed character n-grams, one hidden layer.

    Args:
        shortest, longest: characters of an n-gram; a text begins and ends with a space.
        buckets: size of the hashed vocabulary.
        hidden: width of the hidden layer.
        epochs: passes over the train split; the best epoch on dev is kept.
        learning_rate: of Adam.
    """

    uses_backbone: ClassVar[bool] = False
    tunes: ClassVar[tuple[str, ...]] = ("learning_rate",)
    procedure: ClassVar[str] = "passes of Adam over bags of n-grams, the best on dev kept"

    shortest: int = 1
    longest: int = 4
    buckets: int = 65_536
    hidden: int = 32
    epochs: int = 5
    learning_rate: float = 0.003

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.longest or min(self.buckets, self.hidden, self.epochs) < 1:
            raise ConfigError("ngram-mlp needs 1 <= shortest <= longest, and buckets, hidden, epochs of at least 1")

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedBags:
        """Fit one seed with Adam; always on the CPU, where it takes seconds."""
        model = self._new(context)
        bags, dev_bags = self.bags(train.examples), self.bags(dev.examples)
        optimisers = [
            torch.optim.SparseAdam(model.table.parameters(), lr=self.learning_rate),
            torch.optim.Adam(model.out.parameters(), lr=self.learning_rate),
        ]
        random = np.random.default_rng(context.seed)
        history: list[DevPoint] = []
        best: dict[str, Tensor] = {}
        epoch_steps = -(-len(train) // _BATCH)
        total = self.epochs * epoch_steps
        for step in range(epoch_steps, total + 1, epoch_steps):
            loss = _epoch(model, optimisers, bags, torch.from_numpy(train.gold), random.permutation(len(train)))
            point = _score(model, dev_bags, torch.from_numpy(dev.gold), step, loss)
            context.progress.step(context.seed, step, total, loss, len(train) // epoch_steps)
            context.progress.evaluated(context.seed, step, point.dev_accuracy)
            if not history or point.dev_accuracy > max(earlier.dev_accuracy for earlier in history):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            history.append(point)
        model.load_state_dict(best)
        chosen = max(history, key=lambda point: point.dev_accuracy)
        trained = sum(p.numel() for p in model.parameters())
        return FittedBags(self, model, FitSummary(trained, total, chosen.step, tuple(history)))

    def load(self, folder: Path, context: Context) -> FittedBags:
        """Restore what `FittedBags.save` wrote."""
        model = self._new(context)
        weights, summary = load_fit(folder)
        model.load_state_dict(weights)
        return FittedBags(self, model, summary)

    def _new(self, context: Context) -> Bags:
        with seeded(context.seed):
            return Bags(self.buckets, self.hidden, len(context.labels))

    def bags(self, examples: Sequence[Example]) -> list[NDArray[np.int64]]:
        """Bucket numbers of each text's n-grams (a pair's texts joined by a tab)."""
        return [self._bag(f"{e.text}\t{e.text_pair}" if e.text_pair is not None else e.text) for e in examples]

    def _bag(self, text: str) -> NDArray[np.int64]:
        padded = f" {text.casefold()} "
        grams = (
            padded[start : start + size]
            for size in range(self.shortest, min(self.longest, len(padded)) + 1)
            for start in range(len(padded) - size + 1)
        )
        return np.fromiter((zlib.crc32(gram.encode()) % self.buckets for gram in grams), np.int64)


class FittedBags:
    """A trained table of n-gram vectors and its projection."""

    def __init__(self, method: NgramMLP, model: Bags, summary: FitSummary) -> None:
        self.method = method
        self.model = model
        self.summary = summary

    @torch.no_grad()
    def predict(self, examples: Sequence[Example]) -> Scores:
        """Logits of shape (items, classes), float32, in the order given."""
        bags = self.method.bags(examples)
        parts = [self.model(*_flat(bags[start : start + _BATCH])).numpy() for start in range(0, len(bags), _BATCH)]
        return np.concatenate([np.zeros((0, self.model.out.out_features), np.float32), *parts])

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `fit.json`."""
        save_fit(folder, self.model.state_dict(), self.summary)


def _flat(bags: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    starts = np.cumsum([0, *(len(bag) for bag in bags)])[:-1]
    return torch.from_numpy(np.concatenate(bags)), torch.from_numpy(starts)


def _epoch(
    model: Bags,
    optimisers: Sequence[torch.optim.Optimizer],
    bags: Sequence[NDArray[np.int64]],
    gold: Tensor,
    order: NDArray[np.int64],
) -> float:
    total = 0.0
    for start in range(0, len(order), _BATCH):
        index = order[start : start + _BATCH]
        loss = nn.functional.cross_entropy(model(*_flat([bags[i] for i in index])), gold[index])
        model.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()
        total += float(loss.detach()) * len(index)
    return total / len(order)


@torch.no_grad()
def _score(model: Bags, bags: list[NDArray[np.int64]], gold: Tensor, step: int, train_loss: float) -> DevPoint:
    logits = torch.cat([model(*_flat(bags[start : start + _BATCH])) for start in range(0, len(bags), _BATCH)])
    loss = float(nn.functional.cross_entropy(logits, gold))
    return DevPoint(step, train_loss, loss, float((logits.argmax(1) == gold).float().mean()))
