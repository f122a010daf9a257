"""A board on the terminal: one table a section, a row a configuration, a column a target group.

A row takes two lines, the number with its letters and below it the interval, so that four groups fit 80 columns. Groups
that do not fit follow in a further table.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.render.notes import board_notes, board_title, legend, section_notes
from xlt_bench.leaderboard.render.words import NOTHING, against, headline, is_exploratory, only_points, runs, span

_LABEL = 24
_NARROWEST = 10


class BoardView:
    """A board as rich prints it; the layout follows from the width there is."""

    def __init__(self, board: BoardContent) -> None:
        self._board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        board = self._board
        yield Text(board_title(board), style="bold")
        for section in board.sections:
            yield Text()
            yield Text(clean(section.title), style="bold")
            for groups in _side_by_side(board, section, options.max_width):
                yield _table(board, section, groups)
            yield _notes(section_notes(board, section))
        yield Text()
        yield _notes([*legend(board), *board_notes(board)])


def _side_by_side(board: BoardContent, section: BoardSection, width: int) -> Iterator[dict[str, int]]:
    """Groups with their columns' widths, as many at a time as stand beside each other."""
    widths: dict[str, int] = {}
    for name in section.groups:
        needed_width = _width(board, section, name)
        if widths and _LABEL + sum(widths.values()) + 2 * len(widths) + 3 + needed_width > width:
            yield widths
            widths = {}
        widths[name] = needed_width
    yield widths


def _table(board: BoardContent, section: BoardSection, groups: Mapping[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(Text("method\n") + Text("languages", style="dim"), min_width=_LABEL, overflow="fold")
    for name, width in groups.items():
        table.add_column(_header(board, section, name, width), no_wrap=True, min_width=width)
    plain = only_points(section)
    for row in section.rows:
        if len(groups) == len(section.groups) or any(name in row.scores for name in groups):
            table.add_row(_label(row, plain), *(_cell(board, row, name, plain) for name in groups))
    return table


def _header(board: BoardContent, section: BoardSection, name: str, width: int) -> Text:
    kind = " explor." if is_exploratory(board, section, name) else ""
    count = Text(f"{len(section.groups[name])}{kind}", style="dim")
    lines = textwrap.wrap(clean(name).replace("+", "+ "), width)  # languages that stand for a group are joined by "+"
    return Text("\n").join([*(Text(line) for line in lines), count])


def _label(row: BoardRow, plain: bool) -> Text:
    """Label, and below it sources, resources and seeds; on one line where the numbers take one."""
    published = max((score.seeds for score in row.scores.values()), default=0)
    below = ", ".join(part for part in (clean(row.learned_from), *row.resources, runs(row, published)) if part)
    if plain:
        return Text(clean(row.label)) + Text(f" ({below})" if below else "", style="dim")
    return Text(clean(row.label)) + Text(f"\n  {below}" if below else "", style="dim")


def _cell(board: BoardContent, row: BoardRow, name: str, plain: bool) -> Text:
    score = row.scores.get(name)
    if score is None:
        return Text("failed" if row.failed_seeds and not row.seeds else NOTHING, style="dim")
    lines = _lines(board, score)
    number = Text(lines[0], style="bold" if score.rank == 1 and not score.hollow else "")
    return number if plain else Text("\n").join([number, *(Text(line, style="dim") for line in lines[1:])])


def _lines(board: BoardContent, score: RowScore) -> list[str]:
    return [line for line in (headline(score), span(score.bounds(board.interval), score), against(score)) if line]


def _width(board: BoardContent, section: BoardSection, name: str) -> int:
    """Of a group's column: what its cells need, its name being wrapped to that."""
    scores = [row.scores[name] for row in section.rows if name in row.scores]
    return max([_NARROWEST, *(len(line) for score in scores for line in _lines(board, score))])


def _notes(lines: Sequence[str]) -> RenderableType:
    """One a paragraph, indented; without blanks up to the edge, which would be copied along."""
    indents = [2 + len(line) - len(line.lstrip()) for line in lines]
    texts = [Text(line.strip(), style="dim") for line in lines]
    return Group(*(Padding(text, (0, 0, 0, n), expand=False) for text, n in zip(texts, indents, strict=True)))
