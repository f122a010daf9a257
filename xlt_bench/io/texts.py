"""Somebody else's text, such as a method's name in a Record, made safe to show."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """One line without control characters and without marks that turn the direction of what stands beside it."""
    return " ".join("".join(" " if _unsafe(character) else character for character in text).split())


def _unsafe(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
