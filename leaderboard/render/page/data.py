"""The one block of data that the page's figures are drawn from, as JSON that may stand in the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, comb
from typing import Any

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.detail import FewShotPoint, GroupPairs, LanguagePairs, SectionDetail
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, Bounds, RowScore
from xlt_bench.leaderboard.render.notes import row_name
from xlt_bench.leaderboard.render.page.findings import finding
from xlt_bench.leaderboard.render.page.languages import language_data
from xlt_bench.leaderboard.render.page.texts import capitalised
from xlt_bench.leaderboard.render.words import is_exploratory, letters

DIGITS = 6
"""Of every number on the page but q."""
Q_UNITS = 1000
"""q-values are whole thousandths: 276 pairs in 205 languages are most of a page."""
MOST_Q_VALUES = 80_000
"""Of all tables together; those of later tables are left out, so that a page stays below 1 MB."""

Json = dict[str, Any]


def embedded(board: BoardContent, land: str) -> str:
    """The board's data for a script element: the text never holds <, > or &.

    Args:
        land: outline of the map, as an SVG path.
    """
    plain = json.dumps(_data(board, land), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def opening_group(section: BoardSection) -> str:
    """The group that a table opens on: the primary one, else that by which its rows are in order."""
    return section.primary or section.sorted_by or next(iter(section.groups), "")


def _data(board: BoardContent, land: str) -> Json:
    """Languages are lists in one order, so that rows need no codes."""
    rows = [row for section in board.sections for row in section.rows]
    codes = sorted({*board.languages, *(code for row in rows for code in row.by_language)})
    q_values, sections = 0, []
    for section in board.sections:
        tests = section.detail.by_language if section.detail else None
        q_values += _count(tests)
        sections.append(_section(board, section, codes, tests if q_values <= MOST_Q_VALUES else None))
    return {
        "task": clean(board.task),
        "alpha": round(1 - board.level, DIGITS),
        "interval": board.interval,
        "metric": capitalised(clean(board.metric_title)),
        "languages": language_data(board, codes),
        "sections": sections,
        "land": land,
    }


def _count(tests: LanguagePairs | None) -> int:
    return sum(map(len, tests.q.values())) if tests else 0


def _section(board: BoardContent, section: BoardSection, codes: Sequence[str], tests: LanguagePairs | None) -> Json:
    positions = {code: position for position, code in enumerate(codes)}
    detail = section.detail or SectionDetail({}, None, {}, {})
    return {
        "title": clean(section.title),
        "opening": list(section.groups).index(opening_group(section)) if section.groups else 0,
        "groups": [_group(board, section, group, positions) for group in section.groups],
        "rows": [_row(section, number, row, codes, detail) for number, row in enumerate(section.rows)],
        "pairs": [_pairs(detail.pairs.get(group)) for group in section.groups],
        "byLanguage": _language_pairs(tests, codes) if tests else None,
    }


def _group(board: BoardContent, section: BoardSection, group: str, positions: Mapping[str, int]) -> Json:
    members = section.groups[group]
    return {
        "name": clean(group),
        "primary": group == section.primary,
        "exploratory": is_exploratory(board, section, group),
        "languages": [positions[code] for code in members if code in positions],
        "size": len(members),
        "chance": _chance(board, members),
        "finding": finding(board, section, group),
    }


def _chance(board: BoardContent, codes: Sequence[str]) -> float | None:
    """The majority class's mean score on a group, where it is known for all of its languages."""
    values = [board.chance[code] for code in codes if code in board.chance]
    return _rounded(sum(values) / len(values)) if values and len(values) == len(codes) else None


def _row(section: BoardSection, number: int, row: BoardRow, codes: Sequence[str], detail: SectionDetail) -> Json:
    return {
        "key": clean(row.key),
        "name": row_name(section, row),
        "sources": clean(row.learned_from),
        "origin": clean(row.origin),
        "scores": [_score(row.scores.get(group)) for group in section.groups],
        "byLanguage": _rounded_all(row.by_language.get(code) for code in codes) if row.by_language else None,
        "curves": [
            {
                "seed": curve.seed,
                "selected": curve.selected,
                "steps": curve.steps,
                "values": _rounded_all(curve.accuracy),
            }
            for curve in detail.curves.get(number, ())
        ],
        "fewShot": _few_shot(detail.few_shot.get(number)),
    }


def _score(score: RowScore | None) -> Json | None:
    """What there is not is left out."""
    if score is None:
        return None
    numbers = {
        "value": _rounded(score.value),
        "ranked": _rounded(score.ranked_value),
        "bySeed": _rounded_all(score.by_seed) if score.seeds > 1 else [],
        "two-way": _ends(score.two_way),
        "bootstrap": _ends(score.bootstrap),
        "seeds": _ends(score.seeds_only),
        "languages": score.languages,
        "missing": len(score.missing),
        "rank": _rank(score),
        "letters": letters(score) if score.hollow else clean(score.letters),
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _rank(score: RowScore) -> str:
    """The range that the true rank lies in."""
    if score.rank is None:
        return ""
    return str(score.rank) if score.worst_rank in (None, score.rank) else f"{score.rank}\u2013{score.worst_rank}"


def _few_shot(point: FewShotPoint | None) -> Json | None:
    return {"series": point.series, "name": clean(point.name), "shots": point.shots} if point else None


def _pairs(pairs: GroupPairs | None) -> Json | None:
    if pairs is None:
        return None
    return {"rows": pairs.rows, "differences": _rounded_all(pairs.differences), "p": _rounded_all(pairs.p)}


def _language_pairs(tests: LanguagePairs, codes: Sequence[str]) -> Json:
    """Of each pair a list over all languages."""
    untested = (None,) * comb(len(tests.rows), 2)
    columns = [tests.q.get(code, untested) for code in codes]
    q = [[None if q is None else in_units(q) for q in of_pair] for of_pair in zip(*columns, strict=True)]
    return {"rows": tests.rows, "q": q}


def in_units(q: float) -> int:
    """Rounded up: q just above a level is not shown at it. What lies above by an error of rounding alone is at it."""
    return ceil(Q_UNITS * q - 1e-9)


def _ends(bounds: Bounds | None) -> list[float | None] | None:
    return None if bounds is None else [_rounded(bounds.low), _rounded(bounds.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _rounded_all(values: Iterable[float | None]) -> list[float | None]:
    return [_rounded(value) for value in values]
