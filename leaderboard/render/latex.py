r"""A board as LaTeX tables for a paper: booktabs, intervals below the numbers, letters as superscripts.

A table fits the width that it is made for: its columns are paragraphs of computed width, and groups that do not fit
stand in a further table below. Every text of a board may come from somebody else's file, so each is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.render.notes import board_notes, board_title, legend, section_notes
from xlt_bench.leaderboard.render.words import (
    NOTHING,
    against,
    is_exploratory,
    letters,
    marks,
    only_points,
    percent,
    runs,
    span,
)

Column = Literal["sources", "resources", "runs", "selected", "evidence", "parameters"]
Width = Literal["column", "page"]

_POINTS: Mapping[Width, float] = {"column": 219.0, "page": 345.0}
"""Of the narrowest usual layouts: a column of ACL's style, the text of LaTeX's own article."""
_CHARACTER = 4.6
"""Points of a character of \\footnotesize, on the safe side of Computer Modern's average."""
_GAP = 6.0
"""Points between two columns: twice \\tabcolsep as it is set here."""
_METHOD: Mapping[Width, float] = {"column": 56.0, "page": 100.0}
"""Points of the first column at least."""
_EXTRA: Mapping[Width, float] = {"column": 42.0, "page": 56.0}
"""Points of each further column of text."""
_NUMBER = 40.0
"""Points that a number or an interval takes."""
ROWS_OF_A_PAGE = 30
"""A page-wide table with more rows becomes a longtable."""
_BREAKABLE = 10
"""Characters without a break after which one is allowed."""
_LONG_IN_NOTES = 24
"""Characters of a word in the notes, which have the whole width, that may not be broken."""

_ESCAPED = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
}


@dataclass(frozen=True)
class LatexOptions:
    """How the tables look.

    Attributes:
        columns: texts that get a column of their own beside the method; sources and runs else stand below its name.
        groups: target groups to show, in this order; None: all.
        caption: in place of the section's title, as plain text.
        label: of the first table; further ones get `-2`, `-3`.
        width: of one column of two, or of the page.
    """

    columns: tuple[Column, ...] = ()
    groups: tuple[str, ...] | None = None
    caption: str | None = None
    label: str | None = None
    width: Width = "page"


def check_columns(columns: Sequence[str]) -> None:
    """Refuse a column that there is not; ConfigError."""
    for name in columns:
        if name not in get_args(Column):
            raise unknown("column", name, get_args(Column), ", ".join(get_args(Column)))


def latex(board: BoardContent, options: LatexOptions | None = None) -> str:
    r"""The board's sections as tables; they need the packages booktabs, array and, where they say so, longtable.

    Raises:
        ConfigError: a column, group or width that there is not, no group, or more columns than the width holds.
    """
    options = options or LatexOptions()
    check_columns(options.columns)
    if options.width not in _POINTS:
        raise unknown("width", options.width, _POINTS, ", ".join(_POINTS))
    if options.groups is not None and not options.groups:
        raise ConfigError("--groups names no group; leave it out for all of them")
    sections = [_with_groups(section, options) for section in board.sections]
    _check_groups(board, options)
    sections = [section for section in sections if section.groups]
    parts = [f"% {latex_text(board_title(board))}", "% \\usepackage{array,booktabs,longtable}"]
    parts += [_section(board, section, options, number) for number, section in enumerate(sections, 1)]
    return "\n\n".join(parts) + "\n"


def latex_text(text: str) -> str:
    """A text as LaTeX sets it literally: no command, no comment, no further column."""
    return "".join(_ESCAPED.get(character, character) for character in clean(text))


def breakable(text: str, longest: int = _BREAKABLE) -> str:
    r"""As `latex_text`, with places at which words of more than `longest` characters may be broken.

    Words of letters are left to LaTeX's hyphenation, which needs a space before them.
    """
    return " ".join(_broken(word) if len(word) > longest else latex_text(word) for word in clean(text).split(" "))


def _broken(word: str) -> str:
    if word.isalpha() and len(word) <= 2 * _BREAKABLE:
        return rf"\hspace{{0pt}}{latex_text(word)}"
    parts, run = [], 0
    for character in word[:-1]:
        parts.append(_ESCAPED.get(character, character))
        run += 1
        if character in "_/:=,.-" or run >= _BREAKABLE:
            parts.append(r"\allowbreak{}")
            run = 0
    return "".join(parts) + latex_text(word[-1])


def _check_groups(board: BoardContent, options: LatexOptions) -> None:
    """Refuse a group that no table has; ConfigError."""
    groups = list(dict.fromkeys(name for section in board.sections for name in section.groups))
    for name in options.groups or ():
        if name not in groups:
            raise unknown("group", name, groups, ", ".join(groups))


def _with_groups(section: BoardSection, options: LatexOptions) -> BoardSection:
    if options.groups is None:
        return section
    return replace(section, groups={name: section.groups[name] for name in options.groups if name in section.groups})


def _section(board: BoardContent, section: BoardSection, options: LatexOptions, number: int) -> str:
    """Table, caption, label and notes of a section."""
    caption = options.caption or f"{section.title}. {board_title(board)}."
    label = "" if options.label is None else options.label + (f"-{number}" if number > 1 else "")
    head = rf"\caption{{{latex_text(caption)}}}" + (rf"\label{{{_label(label)}}}" if label else "")
    marks_of_section = legend(replace(board, sections=(section,)))  # a table of a paper stands alone
    notes = [*section_notes(board, section), *marks_of_section, *board_notes(board)]
    if any(_is_best(score) for row in section.rows for score in row.scores.values()):
        notes.insert(0, "Bold: no row of the table is shown to be better on that group.")
    foot = [rf"\par\raggedright\scriptsize {breakable(note.strip(), _LONG_IN_NOTES)}" for note in notes]
    if options.width == "page" and len(section.rows) > ROWS_OF_A_PAGE:
        tables = [_tabular(board, section, options, groups, head) for groups in _fitting(section, options)]
        return "\n".join([r"% longtable takes a page of one column: \onecolumn in a layout of two", *tables, *foot])
    tables = [_tabular(board, section, options, groups, None) for groups in _fitting(section, options)]
    environment = "table*" if options.width == "page" else "table"
    body = "\n\n\\medskip\n".join(tables)
    return "\n".join([rf"\begin{{{environment}}}[t]", r"\centering", head, body, *foot, rf"\end{{{environment}}}"])


def _label(text: str) -> str:
    """What may stand in \\label: nothing that LaTeX reads otherwise."""
    return "".join(character if character.isalnum() or character in ":-./" else "-" for character in text)


def _fitting(section: BoardSection, options: LatexOptions) -> Iterator[dict[str, float]]:
    """Groups with the points of their columns, as many at a time as the width holds.

    Raises:
        ConfigError: the other columns leave room for none.
    """
    free = _POINTS[options.width] - _METHOD[options.width] - len(options.columns) * (_EXTRA[options.width] + _GAP)
    widths: dict[str, float] = {}
    for name in section.groups:
        width = max(_NUMBER, _CHARACTER * min(_BREAKABLE + 1, max(map(len, name.split()), default=0)))
        if width + _GAP > free:
            raise ConfigError(
                f"--columns {','.join(options.columns)} leave no room for a group in --width {options.width}; "
                "give fewer columns, or --width page"
            )
        if sum(widths.values()) + width + _GAP * (len(widths) + 1) > free:
            yield widths
            widths = {}
        widths[name] = width
    yield widths


def _tabular(
    board: BoardContent,
    section: BoardSection,
    options: LatexOptions,
    groups: Mapping[str, float],
    long_head: str | None,
) -> str:
    """One tabular, or a longtable with this caption."""
    used = sum(groups.values()) + _GAP * (len(groups) + 1) + len(options.columns) * (_EXTRA[options.width] + _GAP)
    first = min(_POINTS[options.width] - used, 2 * _METHOD[options.width])
    ragged_column = r">{\raggedright\arraybackslash}"
    widths = [first, *[_EXTRA[options.width]] * len(options.columns)]
    spec = "@{}" + "".join(f"{ragged_column}p{{{width:.0f}pt}}" for width in widths)
    spec += "".join(f"{ragged_column}p{{{width:.0f}pt}}" for width in groups.values()) + "@{}"
    header = ["Method", *map(str.capitalize, options.columns)]
    cells = [*header, *(_heading(board, section, name) for name in groups)]
    rows = [line for row in section.rows for line in _row(board, section, row, options, groups)]
    lines = [r"{\footnotesize\setlength{\tabcolsep}{3pt}"]
    if long_head is None:
        lines += [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", _line(cells), r"\midrule", *rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}"])
    repeated = [r"\toprule", _line(cells), r"\midrule"]
    lines += [rf"\begin{{longtable}}{{{spec}}}", rf"{long_head}\\", *repeated, r"\endfirsthead", *repeated]
    return "\n".join([*lines, r"\endhead", r"\bottomrule", r"\endfoot", *rows, r"\end{longtable}}"])


def _heading(board: BoardContent, section: BoardSection, name: str) -> str:
    kind = ", explor." if is_exploratory(board, section, name) else ""
    return rf"{breakable(name)} {{\scriptsize ({len(section.groups[name])}{kind})}}"


def _line(cells: Sequence[str], gap: str = "") -> str:
    return " & ".join(cells) + r" \\" + gap


def _row(
    board: BoardContent, section: BoardSection, row: BoardRow, options: LatexOptions, groups: Mapping[str, float]
) -> Iterator[str]:
    """A line with the numbers; and, where there are intervals, one below it with these, sources and runs."""
    published = max((score.seeds for score in row.scores.values()), default=0)
    texts = {
        "sources": row.learned_from,
        "resources": ", ".join(row.resources),
        "runs": runs(row, published),
        "selected": row.selected_on,
        "evidence": row.evidence.replace("_", " "),
        "parameters": "" if row.trainable_parameters is None else f"{row.trainable_parameters:,}",
    }
    columns = [breakable(texts[name] or NOTHING) for name in options.columns]
    below = ", ".join(texts[name] for name in ("sources", "runs") if texts[name] and name not in options.columns)
    scores = [row.scores.get(name) for name in groups]
    failed = "failed" if row.failed_seeds and not row.seeds else NOTHING
    numbers = [failed if score is None else _number(score) for score in scores]
    small = [_interval(board, section, score) for score in scores]
    if not below and not any(small):
        yield _line([breakable(row.label), *columns, *numbers])
        return
    yield _line([breakable(row.label), *columns, *numbers]).removesuffix(r"\\") + r"\\*"
    indented = rf"\quad{{\scriptsize {breakable(below)}}}" if below else ""
    yield _line([indented, *[""] * len(columns), *small], "[2pt]")


def _number(score: RowScore) -> str:
    superscript = latex_text(f"{letters(score)}{marks(score)}")
    number = rf"\textbf{{{percent(score.value)}}}" if _is_best(score) else percent(score.value)
    return number + (rf"\textsuperscript{{{superscript}}}" if superscript else "")


def _is_best(score: RowScore) -> bool:
    """Whether no row is shown to be better; of one run, nothing is shown."""
    return score.rank == 1 and not score.hollow


def _interval(board: BoardContent, section: BoardSection, score: RowScore | None) -> str:
    if score is None or only_points(section):
        return ""
    parts = (span(score.bounds(board.interval), score).replace("-", "--"), latex_text(against(score)))
    return rf"{{\scriptsize {' '.join(part for part in parts if part)}}}"
