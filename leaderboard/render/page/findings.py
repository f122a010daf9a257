"""One plain sentence of what is known on a target group, from the letters and marks that the board shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.render.notes import row_name
from xlt_bench.leaderboard.render.page.texts import plural
from xlt_bench.leaderboard.render.words import percent

_NAMED = 3
"""Rows that a sentence names; of more it says how many."""
_GROUPS = {
    "all-wo-joshi5": "languages other than the seven of class 5",
    "seen-wo-joshi5": "seen languages other than those of class 5",
    "unseen": "unseen languages",
    "low-performing": "low-performing languages",
}


def finding(board: BoardContent, section: BoardSection, group: str) -> str:
    """What the tests of a section say on a group, or that there are none."""
    scored = [(row, row.scores[group]) for row in section.rows if group in row.scores]
    languages = group_in_words(group)
    if not scored:
        return f"No row has a number on {languages}."
    scored.sort(key=lambda pair: -_ranked_value(pair[1]))
    ranked = [(row, score) for row, score in scored if score.letters]
    if len(scored) == 1:
        return f"Only {_name(section, scored[0][0])} has a number on {languages}: {percent(scored[0][1].value)}%."
    if not ranked:
        return f"{_highest(board, section, scored[0], languages)}; nothing is tested."
    decided = [(row, score) for row, score in ranked if not score.hollow]
    return " ".join([_verdict(board, section, decided, ranked, languages), *_remarks(decided, ranked)])


def group_in_words(group: str) -> str:
    """A target group within a sentence."""
    return _GROUPS.get(group, f"the languages of {clean(group)}")


def _ranked_value(score: RowScore) -> float:
    return score.value if score.ranked_value is None else score.ranked_value


def _verdict(
    board: BoardContent,
    section: BoardSection,
    decided: Sequence[tuple[BoardRow, RowScore]],
    ranked: Sequence[tuple[BoardRow, RowScore]],
    languages: str,
) -> str:
    if len(decided) < 2:
        return f"{_highest(board, section, ranked[0], languages)}; no two rows have runs enough to be told apart."
    letters = [_letters(score) for _, score in decided]
    if frozenset.intersection(*letters):
        names = [_name(section, row) for row, _ in decided]
        rows = " and ".join(names) if len(names) == 2 else f"The {len(names)} rows"
        return f"{rows} are not told apart on {languages}."
    best = _name(section, decided[0][0])
    tied = [row for (row, _), shared in zip(decided, letters, strict=True) if letters[0] & shared][1:]
    worse = [row for (row, _), shared in zip(decided, letters, strict=True) if not letters[0] & shared]
    if not tied:
        return f"{best} is better than {_listed(section, worse, 'all')} on {languages}."
    better = f"is better than {_listed(section, worse, 'the')}." if worse else ""
    if len(tied) == 1:
        sentence = f"{best} and {_name(section, tied[0])} are not told apart on {languages}"
        return f"{sentence}; {best} {better}" if better else f"{sentence}."
    sentence = f"{best} is not told apart from {_listed(section, tied, '')} on {languages}"
    return f"{sentence}; it {better}" if better else f"{sentence}."


def _name(section: BoardSection, row: BoardRow) -> str:
    """In quotation marks where a comma within it could be read as that of a list."""
    name = row_name(section, row)
    return f"\u201c{name}\u201d" if "," in name else name


def _listed(section: BoardSection, rows: Sequence[BoardRow], article: str) -> str:
    """Few rows by name, of more their number: `XPE and SPT`, `all 9 other rows`, `9 other rows`."""
    if len(rows) <= _NAMED:
        *names, last = (_name(section, row) for row in rows)
        return f"{', '.join(names)} and {last}" if names else last
    return " ".join(filter(None, [article, f"{len(rows)} other rows"]))


def _highest(board: BoardContent, section: BoardSection, pair: tuple[BoardRow, RowScore], languages: str) -> str:
    row, score = pair
    return f"{_name(section, row)} has the highest {board.metric_title} on {languages}, {percent(score.value)}%"


def _remarks(decided: Sequence[tuple[BoardRow, RowScore]], ranked: Sequence[tuple[BoardRow, RowScore]]) -> list[str]:
    """What limits the verdict."""
    remarks = []
    hollow = len(ranked) - len(decided)
    if hollow and len(decided) > 1:
        remarks.append(f"{plural(hollow, 'row')} of one run {'gets' if hollow == 1 else 'get'} no verdict.")
    if all(score.at_chance for _, score in ranked):
        remarks.append("No row is shown to be above always answering the most frequent class.")
    return remarks


def _letters(score: RowScore) -> frozenset[str]:
    """Letters beyond the 52nd have strokes."""
    return frozenset(re.findall(r"[A-Za-z]'*", score.letters))
