"""A sound method without a backbone, and one with."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.soft_prompt import SoftPrompt

BUCKETS = 512


def buckets(example: Example) -> list[int]:
    return [zlib.crc32(word.encode()) % BUCKETS for word in example.text.split()]


class FittedWords:
    """Class shares of each hashed word, shape (buckets, classes)."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self.weights = weights
        self.summary: Any = FitSummary(weights.size)

    def predict(self, examples: Sequence[Example]) -> Scores:
        return np.stack([self.score(example) for example in examples])

    def score(self, example: Example) -> Scores:
        found = self.weights[buckets(example)]
        return found.mean(0) if len(found) else np.zeros(self.weights.shape[1], np.float32)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedWords:
        return type(self)(self.weights + counted(train, len(context.labels)))

    def save(self, folder: Path) -> None:
        save_file({"weights": self.weights}, folder / "weights.safetensors")


def counted(train: Labelled, classes: int) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = np.zeros((BUCKETS, classes), np.float32)
    for example, gold in zip(train.examples, train.gold, strict=True):
        weights[buckets(example), gold] += 1
    shares: NDArray[np.float32] = weights / np.maximum(weights.sum(1, keepdims=True), 1)
    return shares


@dataclass(frozen=True)
class Words:
    """Nothing is wrong with it: word counts by class, and a little noise that follows from the seed."""

    uses_backbone: ClassVar[bool] = False
    fitted: ClassVar[type[FittedWords]] = FittedWords

    strength: float = 1.0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        noise = 0.01 * self.random(context).standard_normal((BUCKETS, len(context.labels)))
        return self.fitted(self.strength * counted(train, len(context.labels)) + noise.astype(np.float32))

    def random(self, context: Context) -> np.random.Generator:
        return np.random.default_rng(context.seed)

    def load(self, folder: Path, context: Context) -> Any:
        return self.fitted(load_file(folder / "weights.safetensors")["weights"])


class Table(nn.Module):
    """A prompt and a shift of all its vectors."""

    def __init__(self, vectors: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vectors, width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self) -> torch.Tensor:
        return self.weight + self.shift


@dataclass(frozen=True, kw_only=True)
class Prompt(SoftPrompt):
    """Nothing is wrong with it: a soft prompt from the training toolkit."""

    n_tokens: int = 6

    def build(self, width: int) -> nn.Module:
        return Table(self.n_tokens, width)

    def roles(self, prompt: nn.Module) -> Roles:
        return {"prompt": prompt.parameters()}
