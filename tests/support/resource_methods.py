"""A small method for each resource: words are counted by class, and the resource says more about words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.resources import TextsByLanguage
from xlt_bench.task import Example, Labelled


@dataclass
class FittedWords:
    """Scores are sums of the words' weights; `weights` has a number a class for each word."""

    weights: Mapping[str, Sequence[float]]
    classes: int
    summary: FitSummary = field(default_factory=FitSummary)

    def predict(self, examples: Sequence[Example]) -> Scores:
        rows = [
            [self.weights.get(word, (0.0,) * self.classes) for word in example.text.split()] for example in examples
        ]
        return np.asarray([np.sum(row or [(0.0,) * self.classes], axis=0) for row in rows], np.float32)

    def save(self, folder: Path) -> None:
        (folder / "weights.json").write_text(json.dumps(dict(self.weights)), encoding="utf-8")


@dataclass(frozen=True)
class CountedWords:
    """Shares of the classes among the train items of each word."""

    uses_backbone: ClassVar[bool] = False
    fitted: ClassVar[type[FittedWords]] = FittedWords

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedWords:
        counts: dict[str, list[float]] = {}
        for example, label in zip(train.examples, train.gold, strict=True):
            for word in example.text.split():
                counts.setdefault(word, [0.0] * len(context.labels))[int(label)] += 1.0
        weights = {word: [count / sum(row) for count in row] for word, row in counts.items()}
        return self.fitted(
            {word: self.weighed(word, row, context) for word, row in weights.items()}, len(context.labels)
        )

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        """What the resource makes of a word's shares."""
        return shares

    def load(self, folder: Path, context: Context) -> FittedWords:
        return self.fitted(json.loads((folder / "weights.json").read_text(encoding="utf-8")), len(context.labels))


def rarer_less(word: str, shares: list[float], texts: TextsByLanguage) -> list[float]:
    """Words that are frequent in unlabelled texts tell less."""
    frequency = Counter(word for of_language in texts.values() for text in of_language for word in text.text.split())
    return [share / (1 + frequency[word]) for share in shares]


@dataclass(frozen=True)
class TargetWords(CountedWords):
    needs: ClassVar[frozenset[str]] = frozenset({"unlabelled-target"})

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        return rarer_less(word, shares, context.resources["unlabelled-target"])


@dataclass(frozen=True)
class FolderWords(CountedWords):
    needs: ClassVar[frozenset[str]] = frozenset({"unlabelled-folder"})

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        return rarer_less(word, shares, context.resources["unlabelled-folder"])


@dataclass(frozen=True)
class PairedWords(CountedWords):
    """Words that are frequent on the target's side of pairs tell less."""

    needs: ClassVar[frozenset[str]] = frozenset({"parallel-disjoint"})

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        pairs = context.resources["parallel-disjoint"]
        texts = {code: tuple(pair.target for pair in of_target) for code, of_target in pairs.items()}
        return rarer_less(word, shares, texts)


@dataclass
class FittedBeside(FittedWords):
    """Adds the scores of the words of each item's rendering, where it has one."""

    def predict(self, examples: Sequence[Example]) -> Scores:
        renderings = [example._replace(text=(example.rendering or ("",))[0]) for example in examples]
        return super().predict(examples) + super().predict(renderings)


@dataclass(frozen=True)
class RenderedWords(CountedWords):
    """Reads items in the source language too."""

    needs: ClassVar[frozenset[str]] = frozenset({"translate-train", "translated-test"})
    fitted: ClassVar[type[FittedWords]] = FittedBeside


@dataclass(frozen=True)
class NamedWords(CountedWords):
    """Needs words of the classes where `strength` says that they count."""

    strength: float = 1.0

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"label-words"} if self.strength else ())

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        if not self.strength:
            return shares
        words = context.resources["label-words"]["eng_Latn"]
        return [
            share + self.strength * (word in words[label]) for share, label in zip(shares, context.labels, strict=True)
        ]


@dataclass(frozen=True)
class TemplateWords(CountedWords):
    """Words that stand in the template tell less."""

    needs: ClassVar[frozenset[str]] = frozenset({"template"})

    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        return [share / (1 + context.resources["template"].split().count(word)) for share in shares]


@dataclass(frozen=True)
class Undeclared(CountedWords):
    def weighed(self, word: str, shares: list[float], context: Context) -> list[float]:
        return rarer_less(word, shares, context.resources["unlabelled-target"])


@dataclass(frozen=True)
class ParallelIds(CountedWords):
    """Items that several languages have count once; it sees which they are."""

    needs: ClassVar[frozenset[str]] = frozenset({"source-parallel"})

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedWords:
        shared = context.resources["source-parallel"]
        assert all(len(languages) > 1 for languages in shared.values())
        first = {example.id: row for row, example in enumerate(train.examples) if example.id in shared}
        rows = [row for row, example in enumerate(train.examples) if first.get(example.id, row) == row]
        return super().fit(train.take(rows), dev, context)


@dataclass(frozen=True)
class UndeclaredIds(CountedWords):
    """Counts the first item of each id, whatever its language."""

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> FittedWords:
        first = {example.id: row for row, example in reversed(list(enumerate(train.examples)))}
        return super().fit(train.take(sorted(first.values())), dev, context)


@dataclass(frozen=True)
class PairedUndeclaredIds(UndeclaredIds, PairedWords):
    """The same, of a method for whose pairs ids have to be shared."""
