"""A sound method without a backbone, one with, and from each of them methods with one thing wrong."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled, Task
from xlt_bench.training.optimisation import Roles
from xlt_bench.training.prompted import Prompted
from xlt_bench.training.soft_prompt import FittedPrompt, SoftPrompt

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


# follows_the_protocol


class WithoutSummary(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = None


@dataclass(frozen=True)
class ForgetsTheSummary(Words):
    fitted = WithoutSummary


# configuration_round_trips


@dataclass(frozen=True)
class DefaultOfTheProcess(Words):
    salt: int = hash("salt")  # another in every process


@dataclass(frozen=True)
class RewritesItsFields(Words):
    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", self.strength * 2)


# constructor_does_no_work


@dataclass(frozen=True)
class ComputesWhenMade(Words):
    def __post_init__(self) -> None:
        object.__setattr__(self, "table", list(range(100)))


@dataclass(frozen=True)
class ReadsWhenMade(Words):
    def __post_init__(self) -> None:
        Path(os.devnull).read_bytes()


@dataclass(frozen=True)
class DrawsWhenMade(Words):
    def __post_init__(self) -> None:
        np.random.random()


# predict_before_fit_is_refused


@dataclass(frozen=True)
class LoadsNothing(Words):
    def load(self, folder: Path, context: Context) -> Any:
        if not any(folder.iterdir()):
            return FittedWords(np.zeros((BUCKETS, len(context.labels)), np.float32))
        return super().load(folder, context)


@dataclass(frozen=True)
class PredictsUnfitted(Words):
    def predict(self, examples: Sequence[Example]) -> Scores:
        return np.zeros((len(examples), 7), np.float32)


# same_seed_same_predictions


@dataclass(frozen=True)
class Unseeded(Words):
    def random(self, context: Context) -> np.random.Generator:
        return np.random.default_rng()


# other_seed_other_parameters


@dataclass(frozen=True, kw_only=True)
class AlwaysSeedZero(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(train, dev, [replace(context, seed=0) for context in contexts])


@dataclass(frozen=True, kw_only=True)
class DeniesItsSeed(Prompt):
    uses_seed: ClassVar[bool] = False


# random_state_is_restored


@dataclass(frozen=True)
class SeedsEverybody(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        torch.manual_seed(context.seed)
        return super().fit(train, dev, context)


# learns_a_separable_task


@dataclass(frozen=True)
class LearnsNothing(Words):
    strength: float = 0.0


# trainable_parameters_are_true


class Boastful(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(1_000_000)


@dataclass(frozen=True)
class DeclaresTooMany(Words):
    fitted = Boastful


@dataclass(frozen=True, kw_only=True)
class ForgetsARole(Prompt):
    def roles(self, prompt: nn.Module) -> Roles:
        return {"prompt": [prompt.get_parameter("weight")]}


# head_is_trained_and_saved


@dataclass(frozen=True, kw_only=True)
class RandomHead(Prompt):
    def new_module(self, context: Context) -> Prompted:
        module = super().new_module(context)
        module.head.requires_grad_(False)
        return module


# backbone_stays_frozen


@dataclass(frozen=True, kw_only=True)
class LeavesGradientsOn(Prompt):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        fitted = super().fit(train, dev, context)
        context.backbone.encoder.requires_grad_(True)
        return fitted


@dataclass(frozen=True, kw_only=True)
class TouchesAWeight(Prompt):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedPrompt:
        mask = context.backbone.tokenizer.mask_token_id
        with torch.no_grad():
            context.backbone.encoder.get_parameter("embeddings.word_embeddings.weight")[mask, 0] += 0.001
        return super().fit(train, dev, context)


# a_second_fit_grows_nothing

KEPT: list[object] = []


@dataclass(frozen=True)
class KeepsEveryFit(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        KEPT.append(super().fit(train, dev, context))
        return KEPT[-1]


@dataclass(frozen=True)
class KeepsAnArray(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        KEPT.append([fitted.weights.copy(), fitted.weights.copy()])
        return fitted


# loads_the_same_elsewhere


class SavesHalf(FittedWords):
    def save(self, folder: Path) -> None:
        half = self.weights.astype(np.float16).astype(np.float32)
        save_file({"weights": half}, folder / "weights.safetensors")


@dataclass(frozen=True)
class LosesPrecision(Words):
    fitted = SavesHalf


# saves_nothing_pickled


class Pickles(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "extra").write_bytes(pickle.dumps({"summary": self.summary}))


@dataclass(frozen=True)
class SavesAPickle(Words):
    fitted = Pickles


# one_finite_row_an_item


class OncePerText(FittedWords):
    def predict(self, examples: Sequence[Example]) -> Scores:
        return super().predict(list({example.text: example for example in examples}.values()))


@dataclass(frozen=True)
class DropsDuplicates(Words):
    fitted = OncePerText


# batches_and_order_change_nothing


class Centred(FittedWords):
    def predict(self, examples: Sequence[Example]) -> Scores:
        scores = super().predict(examples)
        centred: Scores = scores - scores.mean(0)
        return centred


@dataclass(frozen=True)
class CentresOnTheBatch(Words):
    fitted = Centred


# odd_inputs_are_predicted


class NeedsWords(FittedWords):
    def score(self, example: Example) -> Scores:
        found: Scores = self.weights[buckets(example)].sum(0) / np.float32(len(buckets(example)))
        return found


@dataclass(frozen=True)
class DividesByZero(Words):
    fitted = NeedsWords


# adapt_leaves_the_source_fit


class AdaptsInPlace(FittedWords):
    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> FittedWords:
        self.weights += counted(train, len(context.labels))
        return type(self)(self.weights)


@dataclass(frozen=True)
class SpoilsTheSource(Words):
    fitted = AdaptsInPlace


# sees_no_answers_and_no_targets


class ReadsAnswers(FittedWords):
    """Looks through its callers' variables for the test split with its labels."""

    def predict(self, examples: Sequence[Example]) -> Scores:
        scores = super().predict(examples)
        frame = sys._getframe(1)
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if isinstance(value, Labelled) and tuple(value.examples) == tuple(examples):
                    scores[np.arange(len(scores)), value.gold] += 1
            frame = frame.f_back  # type: ignore[assignment]
        return scores


@dataclass(frozen=True)
class PeeksAtAnswers(Words):
    fitted = ReadsAnswers


class ReadsIds(FittedWords):
    def score(self, example: Example) -> Scores:
        scores = super().score(example)
        scores[zlib.crc32(example.id.encode()) % len(scores)] += 0.01
        return scores


@dataclass(frozen=True)
class ScoresByItemId(Words):
    fitted = ReadsIds


@dataclass(frozen=True)
class PeeksAtTargets(Words):
    """Looks through its callers' variables for the task, and trains on its targets too."""

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        frame = sys._getframe(1)
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if isinstance(value, Task):
                    train = value.pool(value.languages, "train")
            frame = frame.f_back  # type: ignore[assignment]
        return super().fit(train, dev, context)


# inputs_are_left_as_they_were


@dataclass(frozen=True)
class ShufflesTheGold(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        self.random(context).shuffle(train.gold)
        return fitted


@dataclass(frozen=True)
class KeepsStateInItself(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        object.__setattr__(self, "last", super().fit(train, dev, context))
        return self.last  # type: ignore[attr-defined]


# libraries_are_left_as_they_were


def sparse(tensor: torch.Tensor, sparsity: float, std: float = 0.01) -> torch.Tensor:
    return tensor


@dataclass(frozen=True)
class PatchesTorch(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        nn.init.sparse_ = sparse  # type: ignore[assignment]
        return super().fit(train, dev, context)


# works_without_network


@dataclass(frozen=True)
class NeedsAServer(Words):
    port: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return super().fit(train, dev, context)
