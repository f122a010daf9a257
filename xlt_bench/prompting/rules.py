"""Rules that read a class out of a model's answer in words. Pure functions of the answer and the class names.

What counts as a mention, for every rule but `exact`: a class name, upper or lower case, with neither a Latin letter nor
a digit directly before or after it. `Travel.`, `**travel**`, `_travel_`, `travel/sports` and `travel` inside running
Chinese or Japanese text are mentions; `travelers`, `healthcare`, `neuroscience` and `political` are none. A class may
have further names. The longest name wins, so "science/technology" is one mention, also where "science" is a name. An
answer without a mention has no class (None), which counts as wrong.

The rules see words, not sense. A model that declines and lists what it could have chosen ("please send the text, so
that I can tell whether it is about science/technology, travel, ...") is read by `first-mention` as naming the first of
the list; `only-mention` reads it as no answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from xlt_bench.errors import unknown

_LATIN = "0-9A-Za-z\u00c0-\u024f"
DEFAULT_RULE = "first-mention"


@dataclass(frozen=True)
class Categories:
    """The classes of a task and other names for them, in lower case.

    Attributes:
        aliases: another name -> its class.
    """

    labels: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Every name in lower case -> its class."""
        return {**{label.lower(): label for label in self.labels}, **self.aliases}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a mention; ASCII, so that no foreign letter counts as another case of an English one."""
        names = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
        return re.compile(f"(?<![{_LATIN}])(?:{names})(?![{_LATIN}])", re.IGNORECASE | re.ASCII)

    def mentions(self, answer: str) -> list[str]:
        """The class of each mention, in the order of the answer."""
        return [self.names[name.lower()] for name in self.pattern.findall(answer)]


@dataclass(frozen=True)
class Rule:
    """A named way to read an answer; `read` returns None where the answer names no class."""

    name: str
    summary: str
    read: Callable[[str, Categories], str | None]


def _first(answer: str, categories: Categories) -> str | None:
    mention = categories.pattern.search(answer)
    return categories.names[mention.group().lower()] if mention else None


def _last(answer: str, categories: Categories) -> str | None:
    return next(reversed(categories.mentions(answer)), None)


def _only(answer: str, categories: Categories) -> str | None:
    named = set(categories.mentions(answer))
    return named.pop() if len(named) == 1 else None


def _exact(answer: str, categories: Categories) -> str | None:
    return categories.names.get(answer.strip(" \t\r\n.\"'*`_").lower())


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
