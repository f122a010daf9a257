"""The words that stand for a task's classes in prompts and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xlt_bench.prompting.rules import Categories

Words = Mapping[str, tuple[str, ...]]
"""Class -> its words, the first of which is offered as a choice."""


@dataclass(frozen=True)
class ClassWords:
    """Words by language.

    Attributes:
        labels: the task's classes.
        by_language: language code -> class -> words; a language that is not listed has those of the first listed, and
            where none is, each class is its own word.
    """

    labels: tuple[str, ...]
    by_language: Mapping[str, Words]

    def of(self, language: str) -> Words:
        """The words for a language."""
        if language in self.by_language:
            return self.by_language[language]
        return next(iter(self.by_language.values()), {label: (label,) for label in self.labels})

    def choices(self, language: str) -> list[str]:
        """The first word of each class, in the order of the labels."""
        words = self.of(language)
        return [words[label][0] for label in self.labels]

    @cached_property
    def categories(self) -> Categories:
        """Every name of a class in any language, for reading answers: a model may answer in another than it is asked.

        A word of several classes stands for the first of them.
        """
        aliases: dict[str, str] = {}
        for words in self.by_language.values():
            for label in self.labels:
                for word in words[label]:
                    aliases.setdefault(word.lower(), label)
        return Categories(self.labels, aliases)


def best_word(scores: Sequence[float], words: Words, labels: Sequence[str]) -> list[float]:
    """Of each class the greatest score of its words; `scores` are of all words, class by class."""
    remaining = iter(scores)
    return [max(next(remaining) for _ in words[label]) for label in labels]
