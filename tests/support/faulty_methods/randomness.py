"""Methods whose fits follow from more than their seed and data, or from less."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from tests.support.faulty_methods.sound import Prompt, Words
from xlt_bench.method import Context
from xlt_bench.task import Labelled
from xlt_bench.training.soft_prompt import FittedPrompt

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


# fits_together_as_alone


@dataclass(frozen=True, kw_only=True)
class IgnoresSeedsOfPacks(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(train, dev, [replace(context, seed=contexts[0].seed) for context in contexts])


# fits_the_same_elsewhere


@dataclass(frozen=True)
class SeededByTheHour(Words):
    def random(self, context: Context) -> np.random.Generator:
        return np.random.default_rng([context.seed, int(time.time() // 3600)])


@dataclass(frozen=True)
class SeededByTheFirstFit(Words):
    """Draws once a process, and uses that for every seed but with a little of its own."""

    drawn: ClassVar[dict[str, int]] = {}

    def random(self, context: Context) -> np.random.Generator:
        first = self.drawn.setdefault("seed", context.seed)
        return np.random.default_rng([context.seed, first])


# depends_on_content_alone


@dataclass(frozen=True)
class CachesById(Words):
    cache: ClassVar[dict[tuple[int, int], NDArray[np.float32]]] = {}

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        key = (id(train), context.seed)
        if key not in self.cache:
            self.cache.clear()
            self.cache[key] = super().fit(train, dev, context).weights
        return self.fitted(self.cache[key].copy())
