"""What the checks share about one method: toy data, a tiny backbone, fits, and what a fresh process found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from xlt_bench.backbones.source import BackboneSource, locate
from xlt_bench.conformance.batches import BatchWatch
from xlt_bench.conformance.calls import calling
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.fresh import FreshProcess
from xlt_bench.conformance.inspection import ClassLocation, Findings, Inspection, location_of
from xlt_bench.conformance.optimisers import OptimiserWatch, Trained
from xlt_bench.conformance.random_state import global_state
from xlt_bench.conformance.tiny_backbone import save_backbone
from xlt_bench.conformance.tiny_decoder import save_decoder
from xlt_bench.conformance.tiny_masked_lm import save_masked_lm
from xlt_bench.conformance.toy import LEARNING_STEPS, SHORT, Toy, recipe
from xlt_bench.conformance.toy_languages import toy_languages
from xlt_bench.conformance.toy_resources import toy_resources
from xlt_bench.conformance.worlds import world
from xlt_bench.errors import ConfigError
from xlt_bench.method import Adaptable, Context, Fitted, LanguageFits, Method, Packable, Scores, WithLanguageStage
from xlt_bench.plugins import hyperparameters
from xlt_bench.plugins.methods import name_of
from xlt_bench.resources import language_texts
from xlt_bench.runs.counting import Counter, Effort
from xlt_bench.runs.language_stage import fit_language
from xlt_bench.task import Example, Labelled, Task
from xlt_bench.training.data import encode_texts
from xlt_bench.training.soft_prompt import PromptTuning

if TYPE_CHECKING:
    from xlt_bench.backbones.backbone import Backbone


_LONGEST = 512
"""Tokens of a toy text at most."""


def refuse_class(method: object) -> None:
    """A ConfigError for a class in place of one of its objects."""
    if isinstance(method, type):
        raise ConfigError(f"check an object, not a class: {method.__name__}()")


@dataclass(frozen=True)
class WatchedFit:
    """A short fit, and what was seen of it.

    Attributes:
        fitted: what it gave.
        trained: the parameters that torch's optimisers trained.
        effort: what the harness counts of any run.
        largest_batch: most different texts whose passes kept a gradient before one optimiser step.
        disturbed: whether texts went through the shared backbone while its weights were others.
    """

    fitted: Fitted
    trained: list[Trained]
    effort: Effort
    largest_batch: int
    disturbed: bool


class Bench:
    """A method under check. Close it, or use it in a `with`, to remove its temporary folder.

    Args:
        method: a configured method.
        fresh: a starter of fresh processes to share with other benches; its own by default.
        seed: of the toy's form.
    """

    def __init__(self, method: Method, fresh: FreshProcess | None = None, seed: int = 0) -> None:
        refuse_class(method)
        self.method = method
        self.toy = Toy(seed)
        self.name = name_of(type(method))
        self._fresh = fresh or FreshProcess()
        self._owns_fresh = fresh is None
        self._temporary = TemporaryDirectory(prefix="xlt-bench-check-")
        self.folder = Path(self._temporary.name)
        self._seed_scores: dict[int, Scores] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was written, end what was started."""
        if self._owns_fresh:
            self._fresh.close()
        self._temporary.cleanup()

    def prepare(self) -> None:
        """Let the fresh process import what it needs beside the first checks."""
        self._fresh.start()

    @cached_property
    def source(self) -> BackboneSource:
        """The tiny backbone's files."""
        folder = self.folder / "backbone"
        if self._asks_backbone:
            save_decoder(folder)
        elif getattr(self.method, "fills_mask", False):
            save_masked_lm(folder)
        else:
            save_backbone(folder)
        return locate(str(folder))

    @property
    def _asks_backbone(self) -> bool:
        """Whether the method asks a causal language model."""
        return getattr(self.method, "asks_backbone", False)

    def backbone(self) -> Backbone:
        """A backbone of its own, so that what one fit does to it is not seen by the next."""
        from xlt_bench.backbones.backbone import Backbone

        backbone = Backbone(self.source)
        if self._asks_backbone:  # loaded now, so that its weights are those that are watched
            assert backbone.causal_lm is not None
        return backbone

    def context(
        self, seed: int = 0, steps: int = SHORT, backbone: Backbone | None = None, task: Task | None = None
    ) -> Context:
        """A context on the CPU; without a backbone for methods that say they use none.

        Args:
            task: what is handed out beside labelled sources comes from it; by default from the first world.
        """
        context = self._without_languages(seed, steps, backbone, task)
        languages = self._languages if task is None else toy_languages(self.method, task, context, self.toy)
        return replace(context, languages=languages)

    @cached_property
    def _languages(self) -> LanguageFits:
        """Of the first world, for all fits that are in it."""
        context = self._without_languages(0, SHORT, None, None)
        return toy_languages(self.method, world(0, form=self.toy), context, self.toy)

    @cached_property
    def language_efforts(self) -> list[Effort]:
        """What fits of languages take, one after the other; nothing of a method that makes none."""
        if not isinstance(self.method, WithLanguageStage):
            return []
        efforts, context = [], self._without_languages(0, SHORT, None, None)
        texts = language_texts(world(0, form=self.toy), self.toy.sources, (), context.resources)
        for language, of_language in texts.items():
            with Counter() as counter:
                fit_language(self.method, language, of_language, context)
            efforts += counter.efforts()
        return efforts

    def _without_languages(self, seed: int, steps: int, backbone: Backbone | None, task: Task | None) -> Context:
        used = (backbone or self.backbone()) if self.method.uses_backbone else None
        return Context(
            labels=self.toy.labels,
            seed=seed,
            recipe=recipe(self.method, steps),
            load_backbone=None if used is None else lambda: used,
            resources=toy_resources(self.method, task or world(0, form=self.toy), self.folder, self.toy),
        )

    @cached_property
    def probes(self) -> tuple[Example, ...]:
        """Examples to predict, no text twice."""
        by_text = {example.text: example for example in self.toy.items(60, seed=3).examples}
        return tuple(by_text.values())

    @cached_property
    def first_fit(self) -> Fitted | CheckFailed:
        """The fit that must have learned, made once and shown to predict; or why there is none."""
        try:
            with calling("fit"):
                train, dev = self.toy.items(2520, 1), self.toy.items(63, 2)
                fitted = self.method.fit(train, dev, self.context(steps=LEARNING_STEPS))
            self.predict(fitted, self.probes)
        except CheckFailed as failed:
            return failed
        return fitted

    @property
    def fitted(self) -> Fitted:
        """The same, for checks of what a fitted method does; they are skipped where there is none."""
        self.require_fit()
        assert not isinstance(self.first_fit, CheckFailed)
        return self.first_fit

    def require_fit(self) -> None:
        """Make the first fit if it is not there; skip the check if there is none."""
        if isinstance(self.first_fit, CheckFailed):
            raise CheckSkipped("needs fit and predict to work; see follows_the_protocol")

    @cached_property
    def watched(self) -> WatchedFit:
        """A short fit with seed 0, on a backbone of its own, and what was seen of it."""
        return self._watch(lambda backbone: self.fit(context=self.context(backbone=backbone)), self.train())

    @cached_property
    def watched_adapting(self) -> WatchedFit:
        """A short fit that is adapted to a target, and what was seen of adapting.

        Raises:
            CheckSkipped: the method has no adapt.
        """
        backbone = self.backbone() if self.method.uses_backbone else None
        fitted = self.fit(context=self.context(backbone=backbone))
        if not isinstance(fitted, Adaptable):
            raise CheckSkipped("the method has no adapt")
        return self._watch(lambda shared: self.adapt(fitted, shared), self.target_train(), backbone)

    def _watch(
        self, fit: Callable[[Backbone | None], Fitted], train: Labelled, backbone: Backbone | None = None
    ) -> WatchedFit:
        self.require_fit()
        if backbone is None and self.method.uses_backbone:
            backbone = self.backbone()
        batches = BatchWatch(backbone, self._ids(train, backbone))
        with OptimiserWatch() as optimisers, Counter() as counter, batches:
            fitted = fit(backbone)
        return WatchedFit(fitted, optimisers.trained, counter.efforts()[0], batches.largest, batches.disturbed)

    def _ids(self, train: Labelled, backbone: Backbone | None) -> Sequence[NDArray[np.int64]]:
        """Token ids of items as a fit sees them; none without a backbone."""
        if backbone is None:
            return ()
        encode = self.method.encode if isinstance(self.method, PromptTuning) else encode_texts
        return encode(train.examples, self.context(backbone=backbone), _LONGEST).ids

    def seed_scores(self, seed: int) -> Scores:
        """What a short fit with this seed predicts for the probes; each is made once."""
        if seed not in self._seed_scores:
            self._seed_scores[seed] = self.predict(self.fit(context=self.context(seed=seed)), self.probes)
        return self._seed_scores[seed]

    def fit(self, train: Labelled | None = None, dev: Labelled | None = None, context: Context | None = None) -> Fitted:
        """A short fit of its own, on toy data unless other is given."""
        self.require_fit()
        with calling("fit"):
            return self.method.fit(train or self.train(), dev or self.dev(), context or self.context())

    @cached_property
    def repeatable(self) -> bool:
        """Whether fits with one seed predict the same, bit for bit, whatever the global random state."""
        with global_state(1):
            first = self.seed_scores(0)
        with global_state(2):
            second = self.predict(self.fit(), self.probes)
        return np.array_equal(first, second, equal_nan=True)

    def require_repeatable(self) -> None:
        """Skip a check that compares fits if they differ anyhow."""
        self.require_fit()
        if not self.repeatable:
            raise CheckSkipped("its fits are not repeatable; see same_seed_same_predictions")

    def fit_many(self, contexts: Sequence[Context]) -> list[Fitted]:
        """Short fits in one pass, of a method that can."""
        self.require_fit()
        assert isinstance(self.method, Packable)
        with calling("fit_many"):
            return list(self.method.fit_many(self.train(), self.dev(), contexts))

    def train(self) -> Labelled:
        """The train split of short fits, made anew: a method that changes it spoils nobody else's."""
        return self.toy.items(63, 4)

    def dev(self) -> Labelled:
        """The dev split of short fits."""
        return self.toy.items(21, 5)

    def predict(self, fitted: Fitted, examples: Sequence[Example]) -> Scores:
        """Scores as the method gives them, not checked."""
        with calling("predict"):
            return np.asarray(fitted.predict(examples))

    def scored(self, count: int = 140) -> tuple[tuple[Example, ...], NDArray[np.int64]]:
        """Examples to score, no text twice, and their classes."""
        part = self.toy.items(count, seed=8)
        row_of_text = {example.text: row for row, example in enumerate(part.examples)}
        chosen = part.take(list(row_of_text.values()))
        return chosen.examples, chosen.gold

    def adapt(self, fitted: Adaptable, backbone: Backbone | None) -> Fitted:
        """A short fit on one target's data, on the same backbone as the source fit."""
        dev = self.toy.items(14, 7, self.toy.targets[:1])
        with calling("adapt"):
            return fitted.adapt(self.target_train(), dev, self.context(seed=1, backbone=backbone))

    def target_train(self) -> Labelled:
        """The train split that is adapted to."""
        return self.toy.items(21, 6, self.toy.targets[:1])

    def save(self, fitted: Fitted) -> Path:
        """What the method saves, in a new folder."""
        folder = Path(mkdtemp(dir=self.folder))
        with calling("save"):
            fitted.save(folder)
        return folder

    @property
    def findings(self) -> Findings:
        """What a fresh process found out about this method: all of it in one go, as such a process takes seconds.

        Raises:
            CheckFailed: it cannot import the class, or died.
        """
        if isinstance(self._findings, CheckFailed):
            raise CheckFailed(str(self._findings))
        return self._findings

    @cached_property
    def _findings(self) -> Findings | CheckFailed:
        try:
            return self._fresh.run(self._inspection(location_of(type(self.method))))
        except CheckFailed as failed:
            return failed

    def _inspection(self, location: ClassLocation) -> Inspection:
        return Inspection(
            location=location,
            method=self.name,
            seed=self.toy.seed,
            settings=hyperparameters.settings(self.method),
            backbone=str(self.source.folder) if self.method.uses_backbone else None,
            saved=self._saved(),
            probes=self.probes,
            threads=torch.get_num_threads(),
            folder=mkdtemp(dir=self.folder),
        )

    def _saved(self) -> str | None:
        """Saved for a fresh process, which has more to find out than what loading gives."""
        try:
            return str(self.save(self.fitted))
        except (CheckFailed, CheckSkipped):
            return None
