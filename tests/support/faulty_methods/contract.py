"""Methods that break the contract of `Method` in one way each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.faulty_methods.sound import BUCKETS, FittedWords, Words
from xlt_bench.method import Context, Scores
from xlt_bench.task import Example

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
