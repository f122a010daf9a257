"""What a task is made of, and what in it should give pause: counts, equal texts, odd texts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xlt_bench.task import SPLITS, Example, Labelled, Split, Task


@dataclass(frozen=True)
class LanguageReport:
    """One language of a task.

    Attributes:
        items: split -> number of items.
        leaked: test items whose text, after `folded`, is also a text of train or dev.
        repeated: test items whose text, after `folded`, an earlier test item has.
        contradicted: of both, those whose label is another one than that of an equal text.
        odd: items without a letter or digit, with a character that stands for none that could be read, or with control
            characters.
    """

    items: Mapping[Split, int]
    leaked: int
    repeated: int
    contradicted: int
    odd: int


@dataclass(frozen=True)
class TaskReport:
    """A task.

    Attributes:
        classes: class -> number of test items, all languages together.
        untrained: classes without a train item in any language.
        shared: share of the test items, all languages together, whose id every language has.
        languages: by code.
    """

    classes: Mapping[str, int]
    untrained: tuple[str, ...]
    shared: float
    languages: Mapping[str, LanguageReport]

    @property
    def parallel(self) -> str:
        """What test items of two languages have to do with each other, in words."""
        if len(self.languages) < 2:
            return "one language"
        if self.shared == 1.0:
            return "parallel: every language has every test item"
        return f"{self.shared:.0%} of the test items are in every language" if self.shared else "not parallel"


def task_report(task: Task) -> TaskReport:
    """Count what a task has."""
    tested: Counter[int] = Counter()
    trained: set[int] = set()
    homes: Counter[str] = Counter()
    for code in task.languages:
        tested.update(task.split(code, "test").gold.tolist())
        trained.update(task.split(code, "train").gold.tolist())
        homes.update(example.id for example in task.split(code, "test").examples)
    everywhere = sum(number for number in homes.values() if number == len(task.languages))
    return TaskReport(
        classes={label: tested[position] for position, label in enumerate(task.labels)},
        untrained=tuple(label for position, label in enumerate(task.labels) if position not in trained),
        shared=everywhere / max(1, homes.total()),
        languages={code: _language_report(task.data[code]) for code in task.languages},
    )


def _language_report(splits: Mapping[Split, Labelled]) -> LanguageReport:
    labels: dict[tuple[str, str], set[int]] = {}
    for split in ("train", "dev"):
        for example, gold in _items(splits[split]):
            labels.setdefault(folded(example), set()).add(gold)
    leaked = repeated = contradicted = 0
    earlier: dict[tuple[str, str], set[int]] = {}
    for example, gold in _items(splits["test"]):
        text = folded(example)
        leaked += text in labels
        repeated += text in earlier
        equal = labels.get(text, set()) | earlier.get(text, set())
        contradicted += bool(equal - {gold})
        earlier.setdefault(text, set()).add(gold)
    odd = sum(is_odd(example) for split in SPLITS for example in splits[split].examples)
    return LanguageReport({split: len(splits[split]) for split in SPLITS}, leaked, repeated, contradicted, odd)


def _items(part: Labelled) -> Iterator[tuple[Example, int]]:
    return zip(part.examples, part.gold.tolist(), strict=True)


def folded(example: Example) -> tuple[str, str]:
    """Both texts' letters, marks and digits, case-folded: texts that differ in punctuation only are equal."""
    first, second = (unicodedata.normalize("NFKC", text or "").casefold() for text in (example.text, example.text_pair))
    return _word_characters(first), _word_characters(second)


def _word_characters(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character)[0] in "LMN")


def is_odd(example: Example) -> bool:
    """Whether a text can hardly be one: see `LanguageReport.odd`."""
    texts = (example.text,) if example.text_pair is None else (example.text, example.text_pair)
    return any(
        not any(character.isalnum() for character in text)
        or any(character == "\N{REPLACEMENT CHARACTER}" or _is_control(character) for character in text)
        for text in texts
    )


def _is_control(character: str) -> bool:
    return character not in "\t\n\r" and unicodedata.category(character) == "Cc"
