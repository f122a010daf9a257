"""The words that stand for a task's classes in prompts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xlt_bench.prompting.rules import Categories, Rule, folded

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

    def read(self, answer: str, language: str, rule: Rule) -> str | None:
        """The class that an answer to an item of this language names by a rule, None if it names none.

        A model may answer in another language than it is asked in: where none of the words for the item's language is
        named, those for all languages are looked for.
        """
        label = rule.read(answer, self._of_languages.get(language, next(iter(self._of_languages.values()))))
        return label if label is not None else rule.read(answer, self._of_all)

    @cached_property
    def _of_languages(self) -> Mapping[str, Categories]:
        """Language code -> names of the classes in it; one entry where no words are given."""
        return {language: self._categories([words]) for language, words in self.by_language.items()} or {
            "": Categories(self.labels)
        }

    @cached_property
    def _of_all(self) -> Categories:
        return self._categories(self.by_language.values())

    def _categories(self, vocabularies: Iterable[Words]) -> Categories:
        """Class names and words; a word of several classes stands for the first of them."""
        aliases: dict[str, str] = {}
        for words in vocabularies:
            for label in self.labels:
                for word in words[label]:
                    aliases.setdefault(folded(word), label)
        return Categories(self.labels, aliases)


def best_word(scores: Sequence[float], words: Words, labels: Sequence[str]) -> list[float]:
    """Of each class the greatest score of its words; `scores` are of all words, class by class."""
    remaining = iter(scores)
    return [max(next(remaining) for _ in words[label]) for label in labels]
