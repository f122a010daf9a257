"""The toy task that methods are checked on: one word of each text tells its class."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xlt_bench.method import Method
from xlt_bench.plugins.methods import recipe_of
from xlt_bench.recipe import Phase, Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.task import Example, Labelled

CLASS_WORDS = {
    "animal": ("dog", "cat", "horse"),
    "colour": ("red", "blue", "green"),
    "food": ("bread", "rice", "soup"),
    "body": ("hand", "foot", "ear"),
    "tool": ("hammer", "saw", "nail"),
    "weather": ("rain", "snow", "wind"),
    "clothing": ("shirt", "shoe", "hat"),
}
LABELS = tuple(CLASS_WORDS)
"""Seven: a number that is unlikely to be another dimension of a method's parameters."""

LEARNING_STEPS, SHORT = 60, 6
"""Optimiser steps of a fit that must have learned, and of one that only has to have happened."""

SOURCES = ("eng_Latn", "deu_Latn", "swh_Latn")
TARGETS = ("kat_Geor", "tha_Thai")

FILLERS = ("the", "of", "and", "see", "my", "old", "now", "here", "two", "this")
"""Words that tell nothing."""

_RATES = {"prompt": 0.05, "pseudo": 0.05, "encoder": 0.01, "head": 0.02, "backbone": 0.002}
_OTHER_RATE = 0.01


_MORE_LANGUAGES = ("fin_Latn", "quy_Latn", "zul_Latn", "rus_Cyrl", "hin_Deva", "arb_Arab", "jpn_Jpan", "amh_Ethi")


@dataclass(frozen=True)
class Toy:
    """The toy task in one of its forms, so that no method knows by heart what it is checked on.

    Seed 0 is the usual one; with another, the number and order of the classes, their names, the languages, the numbers
    of items and the items themselves are others.
    """

    seed: int = 0

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Keys of CLASS_WORDS, in the order of the labels: five or seven, as other numbers are often dimensions."""
        if not self.seed:
            return LABELS
        random = np.random.default_rng([self.seed, 0])
        return tuple(str(label) for label in random.permutation(LABELS)[: random.choice([5, 7])])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.classes if not self.seed else tuple(f"{label}-{self.seed % 97}" for label in self.classes)

    @cached_property
    def _codes(self) -> tuple[str, ...]:
        if not self.seed:
            return SOURCES + TARGETS
        codes = np.random.default_rng([self.seed, 1]).permutation([*SOURCES, *TARGETS, *_MORE_LANGUAGES])
        return tuple(str(code) for code in codes[: len(SOURCES) + len(TARGETS)])

    @property
    def sources(self) -> tuple[str, ...]:
        """Languages to fit on."""
        return self._codes[: len(SOURCES)]

    @property
    def targets(self) -> tuple[str, ...]:
        """Languages to predict."""
        return self._codes[len(SOURCES) :]

    def items(self, count: int, seed: int, languages: Sequence[str] | None = None) -> Labelled:
        """As the function `items`; of another form than the usual some more items, and others."""
        more = self.seed % 11
        return items(count + more, seed + 1000 * self.seed, languages or self.sources, labels=self.classes)


USUAL = Toy()


def items(
    count: int,
    seed: int,
    languages: Sequence[str] = SOURCES,
    *,
    labels: Sequence[str] = LABELS,
    fillers: int = 3,
) -> Labelled:
    """`count` items, evenly over languages and classes.

    Every call makes new arrays, so that a method which changes its input spoils nobody else's.

    Args:
        count: number of items.
        seed: equal seeds give equal items.
        languages: items go to them in turn.
        labels: classes of the items, of LABELS.
        fillers: at most so many words of a text stand around the one that tells its class.
    """
    random = np.random.default_rng(seed)
    gold = random.permutation(np.arange(count) % len(labels))
    examples = (
        Example(f"item{seed}-{number}", languages[number % len(languages)], _text(labels[label], fillers, random))
        for number, label in enumerate(gold)
    )
    return Labelled(tuple(examples), gold.astype(np.int64))


def _text(label: str, fillers: int, random: np.random.Generator) -> str:
    words = [str(random.choice(FILLERS)) for _ in range(random.integers(0, fillers + 1))]
    words.insert(int(random.integers(0, len(words) + 1)), str(random.choice(CLASS_WORDS[label])))
    return " ".join(words)


def recipe(method: Method, steps: int) -> Recipe:
    """A budget of `steps`, on sources and target alike, with learning rates at which the tiny model learns in it.

    Args:
        method: it may bring roles of its own.
        steps: optimiser steps; dev is evaluated twice. A language is always fitted in SHORT ones.
    """
    base = recipe_of(method, "cldr")
    phase = Phase(steps=steps, warmup=0.05, patience=20)
    budget = dataclasses.replace(
        base, source=phase, target=phase, batch_size=16, evaluate_every=max(steps // 2, 1), dev_limit=None
    )
    if base.language is not None:
        budget = dataclasses.replace(budget, language=dataclasses.replace(base.language, steps=SHORT))
    return budget.with_rates(**{role: _RATES.get(role, _OTHER_RATE) for role in budget.rates})


def cell(method: str, hyperparameters: Mapping[str, Any]) -> Cell:
    """A run of a method on this task, for its fingerprint."""
    return Cell(
        task="toy",
        task_hash="toy",
        backbone="tiny",
        backbone_hash="tiny",
        method=method,
        hyperparameters=hyperparameters,
        preset=None,
        recipe=None,
        sources=SOURCES,
        protocol="zero-shot",
        targets=TARGETS,
        precision="fp32",
        seed=0,
    )
