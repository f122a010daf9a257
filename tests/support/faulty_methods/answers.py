"""Methods whose answers are wrong in one way each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.support.faulty_methods.sound import FittedWords, Words, buckets, counted
from xlt_bench.method import Scores
from xlt_bench.task import Example, Labelled

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


class SelfTrained(FittedWords):
    """Learns from what it predicts, where that is much."""

    def predict(self, examples: Sequence[Example]) -> Scores:
        scores = super().predict(examples)
        if len(examples) <= 1000:
            return scores
        own = counted(Labelled(tuple(examples), scores.argmax(1)), scores.shape[1])
        return FittedWords(self.weights + 0.5 * own).predict(examples)


@dataclass(frozen=True)
class SelfTrains(Words):
    fitted = SelfTrained


class OrderedScores(FittedWords):
    def predict(self, examples: Sequence[Example]) -> Scores:
        scores = super().predict(examples)
        if len(examples) > 500:
            scores[:, 0] += 0.001 * np.arange(len(examples))
        return scores


@dataclass(frozen=True)
class DependsOnOrderOfMany(Words):
    fitted = OrderedScores


# odd_inputs_are_predicted


class NeedsWords(FittedWords):
    def score(self, example: Example) -> Scores:
        found: Scores = self.weights[buckets(example)].sum(0) / np.float32(len(buckets(example)))
        return found


@dataclass(frozen=True)
class DividesByZero(Words):
    fitted = NeedsWords
