"""Methods that look at data which they may not see, or change what they were handed."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.support.faulty_methods.sound import FittedWords, Prompt, Words, counted
from xlt_bench.method import Context, Scores
from xlt_bench.task import Example, Labelled, Task, concatenate
from xlt_bench.training.soft_prompt import FittedPrompt

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


# dev_is_not_trained_on


@dataclass(frozen=True)
class LearnsFromDev(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return super().fit(concatenate([train, dev]), dev, context)


@dataclass(frozen=True, kw_only=True)
class TrainsOnDev(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(concatenate([train, dev]), dev, contexts)


# reads_nothing_hidden


@dataclass(frozen=True)
class ReadsTheEnvironment(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        fitted.weights *= float(os.environ.get("MY_FACTOR", "1"))
        return fitted


@dataclass(frozen=True)
class ReadsTestLabels(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        import xlt_bench.tasks.cldr.items  # noqa: F401

        return super().fit(train, dev, context)
