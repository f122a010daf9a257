"""Single cells of the page's tables."""

from __future__ import annotations

from collections.abc import Iterator

from xlt_bench.leaderboard.board.model import Against, BoardRow, BoardSection, Bounds, RowScore
from xlt_bench.leaderboard.render.page.data import DIGITS
from xlt_bench.leaderboard.render.page.texts import escaped, foreign
from xlt_bench.leaderboard.render.words import p_value, percent

EVIDENCE = {"per_item": "per item", "per_language": "per language", "aggregate": "aggregate"}
NO_VARIANCE = "no variance"
NOTHING = "\u2013"


def scores_of(section: BoardSection) -> Iterator[RowScore]:
    """All scores of a section."""
    for row in section.rows:
        yield from row.scores.values()


def column_head(title: str, kind: str, column: int, more: str) -> str:
    """The head of a sortable column: its title, what sorting compares, its number, and further attributes."""
    return f'<th scope="col" data-kind="{kind}" data-column="{column}"{more}>{escaped(title)}</th>'


def group_attributes(group: int, kind: str) -> str:
    """The attributes of a cell that belongs to a target group."""
    return f' data-group="{group}"' + (f' class="{kind}"' if kind else "")


def number_cell(value: float | None, markup: str, attributes: str = ' class="number"') -> str:
    """A cell that is sorted by its value."""
    return f"<td{attributes}>{NOTHING}</td>" if value is None else f'<td data-value="{value}"{attributes}>{markup}</td>'


def origin_text(row: BoardRow) -> str:
    """Where a row's numbers come from, and under which licence."""
    origins = [foreign(text) for text in dict.fromkeys((row.origin, row.source)) if text]
    licence = [f'<span class="about">licence: {foreign(row.licence)}</span>'] if row.licence else []
    return " ".join(["; ".join(origins), *licence])


def bounds_text(bounds: Bounds | None) -> str:
    """An interval in per cent, within 0 and 100."""
    if bounds is None:
        return "no interval"
    if bounds.low == bounds.high:
        return NO_VARIANCE
    return f"[{percent(max(bounds.low, 0.0))}, {percent(min(bounds.high, 1.0))}]"


def difference_cell(against: Against | None, attributes: str) -> str:
    """In bold where the corrected test finds a difference."""
    if against is None:
        return number_cell(None, "", attributes)
    number = f"{100 * against.difference:+.1f}"
    bounds = f"[{100 * against.bounds.low:+.1f}, {100 * against.bounds.high:+.1f}]"
    p = "no test" if against.p is None else f"p {escaped(p_value(against.p))}"
    markup = f"<b>{number}</b>" if against.verdict in ("better", "worse") else number
    value = round(against.difference, DIGITS)
    return number_cell(value, f'{markup} <span class="interval">{bounds} {p}</span>', attributes)


def rank_cell(score: RowScore, ranked: int, attributes: str) -> str:
    """The range that the true rank lies in, and the value that it is of where that reads differently."""
    if score.rank is None:
        return f'<td{attributes}>{NOTHING}<span class="quiet"> not tested</span></td>'
    ends = str(score.rank) if score.worst_rank in (None, score.rank) else f"{score.rank}{NOTHING}{score.worst_rank}"
    letters = f"({score.letters})" if score.hollow else score.letters
    markup = f'{ends} <span class="letters">{escaped(letters)}</span>'
    if score.ranked_value is not None and percent(score.ranked_value) != percent(score.value):
        markup += f' <span class="interval">{percent(score.ranked_value)} on {ranked}</span>'
    return number_cell(score.rank, markup, attributes)
