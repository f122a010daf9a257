"""Texts inside the page. Any may come from somebody else's file, so none enters the markup but through here."""

from __future__ import annotations

import html

from xlt_bench.io.texts import clean


def escaped(text: str) -> str:
    """Safe as an element's content and as a quoted attribute."""
    return html.escape(clean(text), quote=True)


def foreign(text: str) -> str:
    """Somebody else's text as an element's content; written from the right, it leaves its neighbours where they are."""
    return f"<bdi>{escaped(text)}</bdi>"


def capitalised(text: str) -> str:
    """With a capital letter in front, the rest as it is."""
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """Such as `1 row` and `2 rows`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
