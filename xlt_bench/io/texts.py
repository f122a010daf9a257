"""Somebody else's text, such as a method's name in a Record or a value in a file, made safe to show."""

from __future__ import annotations

import unicodedata

LONGEST = 100
"""Characters of a value from outside that a message shows."""


def clean(text: str) -> str:
    """One line without control characters and without marks that turn the direction of what stands beside it."""
    return " ".join("".join(" " if _unsafe(character) else character for character in text).split())


def shortened(text: object, limit: int = LONGEST) -> str:
    """A value as a message shows it: cleaned, and cut where it is long."""
    line = clean(str(text)[: 4 * limit])
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be read or written, in a few words; the path, which may be long, is left out."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return shortened(error)  # a path with a NUL character


def _unsafe(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
