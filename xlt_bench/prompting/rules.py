"""Rules that read a class out of a model's answer in words. Pure functions of the answer and the class names.

What counts as a mention, for every rule but `exact`: a class name, in any case, with neither a letter nor a digit
directly before or after it. Scripts that are written without spaces have no such bounds: `Travel.`, `**travel**`,
`_travel_`, `travel/sports`, `travel` inside running Chinese or Japanese text and a Chinese name inside it are mentions;
`travelers`, `healthcare`, `neuroscience` and `political` are none, nor is `спорт` in `транспортный`. A class may have
further names. The longest name wins, so "science/technology" is one mention, also where "science" is a name. An answer
without a mention has no class (None), which counts as wrong. Upper and lower case, and letters with their accents apart
or in one character, are the same by Unicode (case folding, form NFC).

The rules see words, not sense. A model that declines and lists what it could have chosen ("please send the text, so
that I can tell whether it is about science/technology, travel, ...") is read by `first-mention` as naming the first of
the list; `only-mention` reads it as no answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType

from xlt_bench.errors import unknown

DEFAULT_RULE = "first-mention"

_WITHOUT_SPACES = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese, Shan
    "\u1780-\u17ff"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U000323af"  # Han
    "\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f"  # Kana, Bopomofo
)
"""Ranges of letters between which nothing shows where a word ends."""
_SYMBOL_MARKS = "\u20d0-\u20ff\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Ranges of combining characters of symbols, such as emoji, that are no part of a word."""


def folded(text: str) -> str:
    """The text without differences of case and of how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@cache
def _of_a_word() -> str:
    """A pattern of one character that continues a word; `\\w` lacks vowel signs, which are marks, and has `_`."""
    no_part_of_words = re.compile(f"[{_WITHOUT_SPACES}{_SYMBOL_MARKS}]")
    marks = (chr(code) for code in range(0x300, 0x1F000) if unicodedata.category(chr(code)).startswith("M"))
    return f"(?:[^\\W_{_WITHOUT_SPACES}]|[{''.join(mark for mark in marks if not no_part_of_words.match(mark))}])"


def _name_pattern(names: Sequence[str]) -> str:
    """Any of the names, the longest that is bounded, where an end of its own has to be."""
    boundary = _of_a_word()
    letter_without_spaces = re.compile(f"[{_WITHOUT_SPACES}]")
    alternatives = [
        re.escape(name)  # first: where it does not stand, nothing is looked up about what is beside it
        + ("" if letter_without_spaces.match(name[0]) else f"(?<!{boundary}.{{{len(name)}}})")
        + ("" if letter_without_spaces.match(name[-1]) else f"(?!{boundary})")
        for name in sorted(names, key=len, reverse=True)
    ]
    return "|".join(alternatives)


@dataclass(frozen=True)
class Categories:
    """The classes of a task and other names for them.

    Attributes:
        aliases: another name -> its class; the name of a class is never another's.
    """

    labels: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Every name, folded -> its class."""
        aliases = {folded(alias): label for alias, label in self.aliases.items()}
        return {**aliases, **{folded(label): label for label in self.labels}}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a mention in a folded answer."""
        return re.compile(_name_pattern(list(self.names)), re.DOTALL)

    def mentions(self, answer: str) -> list[str]:
        """The class of each mention, in the order of the answer."""
        return [self.names[name] for name in self.pattern.findall(folded(answer))]


@dataclass(frozen=True)
class Rule:
    """A named way to read an answer; `read` returns None where the answer names no class."""

    name: str
    summary: str
    read: Callable[[str, Categories], str | None]


def _first(answer: str, categories: Categories) -> str | None:
    return next(iter(categories.mentions(answer)), None)


def _last(answer: str, categories: Categories) -> str | None:
    return next(reversed(categories.mentions(answer)), None)


def _only(answer: str, categories: Categories) -> str | None:
    named = set(categories.mentions(answer))
    return named.pop() if len(named) == 1 else None


def _exact(answer: str, categories: Categories) -> str | None:
    return categories.names.get(folded(answer.strip(" \t\r\n.\"'*`_")))


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule("first-mention", "the first class that the answer mentions", _first),
            Rule("last-mention", "the last class that the answer mentions", _last),
            Rule("only-mention", "the class mentioned, if the answer mentions no other", _only),
            Rule("exact", "the whole answer is a class name, but for quotes, emphasis and a full stop", _exact),
        )
    }
)


def rule_named(name: str) -> Rule:
    """A rule by name.

    Raises:
        ConfigError: there is none of that name; lists those there are.
    """
    if name not in RULES:
        raise unknown("rule", name, RULES, f"rules {', '.join(RULES)}")
    return RULES[name]
