"""What page/page.js draws from, as JSON that may stand in the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import Board, BoardRow, BoardSection, Bounds, RowScore
from xlt_bench.leaderboard.data.facts import LanguageFacts
from xlt_bench.leaderboard.render.page_text import capitalised
from xlt_bench.leaderboard.render.words import letters

DIGITS = 6
"""Of every number on the page."""


def embedded(board: Board) -> str:
    """The board's data for a script element: the text never holds <, > or &."""
    plain = json.dumps(_data(board), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(board: Board) -> dict[str, Any]:
    """Languages are lists in one order, so that rows need no codes."""
    rows = [row for section in board.sections for row in section.rows]
    codes = sorted({*board.languages, *(code for row in rows for code in row.by_language)})
    return {
        "level": f"{100 * board.level:g}",
        "metric": capitalised(board.metric_title),
        "languages": [_language(board, code) for code in codes],
        "sections": [_section(board, section, codes) for section in board.sections],
    }


def _language(board: Board, code: str) -> dict[str, Any]:
    facts = board.languages.get(code, LanguageFacts(code, "", "", None, None))
    return {
        "code": clean(code),
        "name": clean(facts.name),
        "family": clean(facts.family),
        "script": clean(facts.script),
        "joshi": facts.joshi,
        "seen": facts.seen,
        "chance": _rounded(board.chance.get(code)),
    }


def _section(board: Board, section: BoardSection, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "title": clean(section.title),
        "groups": [{"name": clean(name), "chance": _chance(board, group)} for name, group in section.groups.items()],
        "rows": [_row(row, section.groups, codes) for row in section.rows],
    }


def _chance(board: Board, codes: Sequence[str]) -> float | None:
    """The majority class's mean accuracy on a group, where it is known for all of its languages."""
    values = [board.chance[code] for code in codes if code in board.chance]
    return _rounded(sum(values) / len(values)) if values and len(values) == len(codes) else None


def _row(row: BoardRow, groups: Iterable[str], codes: Sequence[str]) -> dict[str, Any]:
    return {
        "label": clean(row.label),
        "sources": clean(row.learned_from),
        "evidence": row.evidence,
        "origin": clean(row.origin),
        "scores": [_score(row.scores.get(name)) for name in groups],
        "byLanguage": [_rounded(row.by_language.get(code)) for code in codes] if row.by_language else None,
    }


def _score(score: RowScore | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "value": _rounded(score.value),
        "bySeed": [_rounded(value) for value in score.by_seed] if score.seeds > 1 else [],
        "twoWay": _ends(score.two_way),
        "bootstrap": _ends(score.bootstrap),
        "letters": letters(score) if score.hollow else clean(score.letters),
    }


def _ends(bounds: Bounds | None) -> list[float | None] | None:
    return None if bounds is None else [_rounded(bounds.low), _rounded(bounds.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
