"""Methods that take, read or leave what they may not, each in one way, made from the sound ones of broken_methods."""

from __future__ import annotations

import atexit
import base64
import contextlib
import gzip
import io
import json
import logging
import os
import pickle
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tests.support.broken_methods import FittedWords, Prompt, Words, counted
from xlt_bench.conformance.toy import LABELS
from xlt_bench.method import Context, DevPoint, FitSummary, Scores
from xlt_bench.runs import calls
from xlt_bench.task import Example, Labelled, concatenate
from xlt_bench.training.soft_prompt import FittedPrompt

# keeps_to_the_budget


def with_steps(context: Context, factor: int) -> Context:
    recipe = context.recipe
    source, target = recipe.source.steps or 1, recipe.target.steps or 1
    return replace(context, recipe=recipe.with_steps(factor * source, factor * target))


@dataclass(frozen=True, kw_only=True)
class TakesMoreSteps(Prompt):
    """And says so."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(train, dev, [with_steps(context, 3) for context in contexts])


@dataclass(frozen=True, kw_only=True)
class TakesMoreStepsInPacks(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        if len(contexts) > 1:
            super().fit_many(train, dev, [with_steps(context, 2) for context in contexts])
        return super().fit_many(train, dev, contexts)


@dataclass(frozen=True, kw_only=True)
class TriesTwiceInPacks(Prompt):
    """Two tries of the right length each, of which it could keep the better one."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        if len(contexts) > 1:
            super().fit_many(train, dev, [replace(context, seed=context.seed + 100) for context in contexts])
        return super().fit_many(train, dev, contexts)


class AdaptsLonger(FittedPrompt):
    def adapt_many(
        self, trains: Sequence[Labelled], devs: Sequence[Labelled], contexts: Sequence[Context]
    ) -> list[FittedPrompt]:
        return super().adapt_many(trains, devs, [with_steps(context, 2) for context in contexts])


def of_class(fits: Sequence[FittedPrompt], cls: type[FittedPrompt]) -> list[FittedPrompt]:
    return [cls(fitted.method, fitted.module, fitted.context, fitted.summary) for fitted in fits]


@dataclass(frozen=True, kw_only=True)
class TakesMoreStepsToAdapt(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return of_class(super().fit_many(train, dev, contexts), AdaptsLonger)


@dataclass(frozen=True, kw_only=True)
class TakesLargerBatches(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        larger = [replace(context, recipe=replace(context.recipe, batch_size=40)) for context in contexts]
        return super().fit_many(train, dev, larger)


# summary_is_true


@dataclass(frozen=True, kw_only=True)
class Summarised(Prompt):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        raise NotImplementedError

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        fits = super().fit_many(train, dev, contexts)
        for fitted in fits:
            fitted.summary = self.summary_of(fitted.summary)
        return fits


@dataclass(frozen=True, kw_only=True)
class SaysFewerSteps(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        early = tuple(point for point in summary.history if point.step <= summary.steps // 2)
        return replace(summary, steps=summary.steps // 2, history=early, selected_step=early[0].step)


@dataclass(frozen=True, kw_only=True)
class SaysHigherAccuracy(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        return replace(summary, history=tuple(replace(point, dev_accuracy=1.0) for point in summary.history))


@dataclass(frozen=True, kw_only=True)
class SelectsNothingThatWas(Summarised):
    def summary_of(self, summary: FitSummary) -> FitSummary:
        return replace(summary, selected_step=-7)


class SaysSteps(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(weights.size, 123_456)


@dataclass(frozen=True)
class SaysStepsWithoutAny(Words):
    fitted = SaysSteps


class SaysImpossible(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(weights.size, 0, 1, (DevPoint(1, 0.0, float("nan"), 3.0),))


@dataclass(frozen=True)
class SaysImpossibleAccuracy(Words):
    fitted = SaysImpossible


# trainable_parameters_are_true


class SaysNothingWasFitted(FittedWords):
    def __init__(self, weights: NDArray[np.float32]) -> None:
        super().__init__(weights)
        self.summary = FitSummary(0)


@dataclass(frozen=True)
class DeclaresNone(Words):
    fitted = SaysNothingWasFitted


# backbone_stays_frozen


@dataclass(frozen=True, kw_only=True)
class RestoresTheBackbone(Prompt):
    """Trains with other weights in the shared backbone, and puts the true ones back."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        weight = contexts[0].backbone.encoder.get_parameter("encoder.layer.0.output.dense.weight")
        original = weight.detach().clone()
        weight.data.mul_(0.9)
        try:
            return super().fit_many(train, dev, contexts)
        finally:
            weight.data.copy_(original)


# dev_is_not_trained_on


@dataclass(frozen=True)
class LearnsFromDev(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return super().fit(concatenate([train, dev]), dev, context)


@dataclass(frozen=True, kw_only=True)
class TrainsOnDev(Prompt):
    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[FittedPrompt]:
        return super().fit_many(concatenate([train, dev]), dev, contexts)


# batches_and_order_change_nothing


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


# process_is_left_as_it_was

CHANNELS: list[Any] = []
LEFT: Mapping[str, Callable[[], object]] = {
    "torch keeps gradients": lambda: torch.set_grad_enabled(False),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's determinism": lambda: torch.use_deterministic_algorithms(True),
    "torch's default type": lambda: torch.set_default_dtype(torch.float64),
    "working folder": lambda: os.chdir("/"),
    "environment variables": lambda: os.environ.update(LEFT_BEHIND="1"),
    "filters of warnings": lambda: warnings.simplefilter("ignore"),
    "floating-point errors": lambda: np.seterr(all="ignore"),
    "logging": lambda: logging.disable(logging.CRITICAL),
    "standard streams": lambda: setattr(sys, "stderr", io.StringIO()),
    "signal handlers": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "running threads": lambda: threading.Thread(target=time.sleep, args=(30,), daemon=True).start(),
    "child processes": lambda: os.fork() or os._exit(0),
    "open sockets": lambda: CHANNELS.append(socket.socketpair()),
    "functions to call at exit": lambda: atexit.register(print),
}


@dataclass(frozen=True)
class Elsewhere(Words):
    """Behaves in the process `home`, which is that of the tests, and not in others."""

    home: int = 0

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        fitted = super().fit(train, dev, context)
        if os.getpid() != self.home:
            self.misbehave()
        return fitted

    def misbehave(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Leaves(Elsewhere):
    """A key of LEFT says what it leaves changed; without one, all of it."""

    key: str = ""

    def misbehave(self) -> None:
        for key in [self.key] if self.key else LEFT:
            LEFT[key]()


# prints_nothing


@dataclass(frozen=True)
class Prints(Elsewhere):
    def misbehave(self) -> None:
        os.write(1, b"all is well\n")


# leaves_no_files


@dataclass(frozen=True)
class WritesIntoTheWorkingFolder(Elsewhere):
    def misbehave(self) -> None:
        save_file({"weights": np.zeros(3)}, "left-behind.safetensors")


class SavesMore(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder.parent / "beside-the-folder").write_text("more")


@dataclass(frozen=True)
class SavesOutsideTheFolder(Words):
    fitted = SavesMore


# libraries_are_left_as_they_were


@dataclass(frozen=True)
class ReplacesNumpys(Elsewhere):
    def misbehave(self) -> None:
        np.rot90 = np.copy  # type: ignore[assignment]


@dataclass(frozen=True)
class ReplacesTheScoring(Elsewhere):
    def misbehave(self) -> None:
        calls.checked_scores = len  # type: ignore[assignment]


# works_without_network


@dataclass(frozen=True)
class TriesTheNetwork(Words):
    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 9), timeout=1):
            pass
        return super().fit(train, dev, context)


# saves_nothing_pickled

PICKLE = pickle.dumps({"classes": [FitSummary, FitSummary]})


class SavesText(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "more.json").write_text(json.dumps({"classes": base64.b64encode(PICKLE).decode()}))


@dataclass(frozen=True)
class SavesAPickleAsText(Words):
    fitted = SavesText


class SavesTensor(FittedWords):
    def save(self, folder: Path) -> None:
        bytes_of_pickle = np.frombuffer(PICKLE, np.uint8).astype(np.int64)
        save_file({"weights": self.weights, "more": bytes_of_pickle}, folder / "weights.safetensors")


@dataclass(frozen=True)
class SavesAPickleAsATensor(Words):
    fitted = SavesTensor


class SavesZipped(FittedWords):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "more.gz").write_bytes(gzip.compress(PICKLE))


@dataclass(frozen=True)
class SavesAZippedPickle(Words):
    fitted = SavesZipped


# learns_a_separable_task, in another form of the toy than the usual


@dataclass(frozen=True)
class KnowsTheToy(Words):
    """Answers by heart on the usual toy, and learns nothing elsewhere."""

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return replace(self, strength=float(context.labels == LABELS))._fit(train, dev, context)

    def _fit(self, train: Labelled, dev: Labelled, context: Context) -> Any:
        return Words(self.strength).fit(train, dev, context)
