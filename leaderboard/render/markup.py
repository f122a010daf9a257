"""A board as Markdown: a table a section, the interval beside each number, the notes below.

Every text of a board may come from somebody else's file, so each is escaped; what is a cell here is a cell there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from tabulate import tabulate

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection
from xlt_bench.leaderboard.render.notes import board_notes, board_title, legend, section_notes
from xlt_bench.leaderboard.render.words import NOTHING, against, headline, is_exploratory, only_points, runs, span

_MARKDOWN = {character: f"\\{character}" for character in "\\`*_[]|~$#"} | {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "@": "&#64;",
    "://": "&#58;//",
}
Escape = Callable[[str], str]


def markdown(board: BoardContent) -> str:
    """The board as GitHub-flavoured Markdown."""
    parts = [f"# {markdown_text(board_title(board))}"]
    for section in board.sections:
        header, rows = _cells(board, section, markdown_text)
        parts.append(f"## {markdown_text(section.title)}")
        parts.append(tabulate(rows, header, tablefmt="pipe", disable_numparse=True))
        parts += _bullets(section_notes(board, section))
    return "\n\n".join([*parts, "---", *_bullets([*legend(board), *board_notes(board)])]) + "\n"


def markdown_text(text: str) -> str:
    """A text as Markdown shows it literally: no emphasis, link, mention, HTML or further cell."""
    safe = clean(text).replace("://", "\0")
    return "".join(_MARKDOWN.get(character, character) for character in safe).replace("\0", _MARKDOWN["://"])


def _cells(board: BoardContent, section: BoardSection, escape: Escape) -> tuple[list[str], list[list[str]]]:
    """Header and rows, without the columns in which no row has anything."""
    groups = [
        f"{name} ({len(codes)}{', exploratory' if is_exploratory(board, section, name) else ''})"
        for name, codes in section.groups.items()
    ]
    header = ["Method", "Sources", "Resources", "Runs", "Selected on", "Evidence", *groups]
    rows = [list(_row(board, section, row)) for row in section.rows]
    filled = [column for column in range(len(header)) if column == 0 or any(row[column] != NOTHING for row in rows)]
    return [escape(header[column]) for column in filled], [[escape(row[column]) for column in filled] for row in rows]


def _row(board: BoardContent, section: BoardSection, row: BoardRow) -> Iterator[str]:
    published = max((score.seeds for score in row.scores.values()), default=0)
    yield row.label
    yield row.learned_from or NOTHING
    yield ", ".join(row.resources) or NOTHING
    yield runs(row, published) or NOTHING
    yield row.selected_on or NOTHING
    yield row.evidence.replace("_", " ")
    for name in section.groups:
        score = row.scores.get(name)
        if score is None:
            yield "failed" if row.failed_seeds and not row.seeds else NOTHING
        else:
            number, _, letters = headline(score).partition(" ")
            interval = "" if only_points(section) else f"({span(score.bounds(board.interval), score)})"
            yield " ".join(filter(None, [number, interval, letters, against(score)]))


def _paragraph(note: str) -> str:
    """A note that begins no list of its own, as `- x` or `1. x` would."""
    return re.sub(r"^(\d*)([-+.)])(?=\s|$)", r"\1\\\2", markdown_text(note))


def _bullets(notes: Sequence[str]) -> list[str]:
    return (
        ["\n".join(f"{' ' * (len(note) - len(note.lstrip()))}- {_paragraph(note)}" for note in notes)] if notes else []
    )
