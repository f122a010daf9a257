"""What the page knows of languages: facts to order and filter by, and places on its map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xlt_bench.io.texts import clean
from xlt_bench.languages.places import language_places
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.data.facts import LanguageFacts
from xlt_bench.leaderboard.render.page.projection import projected

_UNKNOWN = LanguageFacts("", "", "", None, None)


def language_data(board: BoardContent, codes: Sequence[str]) -> list[dict[str, Any]]:
    """A plain object a language; what is not known is null or an empty text."""
    return [_language(board, code) for code in codes]


def _language(board: BoardContent, code: str) -> dict[str, Any]:
    facts, place = board.languages.get(code, _UNKNOWN), language_places().get(code)
    x, y = projected(place.latitude, place.longitude) if place else (None, None)
    return {
        "code": clean(code),
        "name": clean(facts.name or code),
        "family": clean(facts.family),
        "script": clean(facts.script),
        "joshi": facts.joshi,
        "seen": facts.seen,
        "area": place.macroarea if place else "",
        "x": None if x is None else round(x, 1),
        "y": None if y is None else round(y, 1),
    }
