"""Somebody else's text, such as a method's name in a Record or a value in a file, made safe to show."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 100
"""Characters of a value from outside that a message shows."""

_LONG_WORD = re.compile(r"(\S{120})\S{80,}(\S{100})")


def clean(text: str) -> str:
    """One line without control characters and without marks that turn the direction of what stands beside it."""
    return " ".join("".join(" " if _unsafe(character) else character for character in text).split())


def shortened(text: object, limit: int = LONGEST) -> str:
    """A value as a message shows it: cleaned, and cut where it is long."""
    line = clean(str(text)[: 4 * limit])
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def shown(value: object) -> str:
    """A value of any type as Python writes it, cut; numbers of thousands of digits cannot be written at all."""
    try:
        return shortened(repr(value))
    except Exception:  # what somebody else's object does when it is written is its own affair
        return f"a {type(value).__name__} that cannot be shown"


def cut_words(text: str) -> str:
    """The text with its very long words cut: only a path, or a value that somebody made up, is such a word."""
    return _LONG_WORD.sub(lambda word: f"{word[1]}...{word[2]}", text)


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be read or written, in a few words; the path, which may be long, is left out."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return shortened(error)  # a path with a NUL character


def _unsafe(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
