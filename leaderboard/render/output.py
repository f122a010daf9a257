"""Boards as text of any format, on standard output or in a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from rich.console import Console, Group, RenderableType
from rich.text import Text

from xlt_bench.errors import ConfigError
from xlt_bench.io.outputs import write_output
from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.board.model import BoardContent

if TYPE_CHECKING:
    from xlt_bench.leaderboard.render.latex import LatexOptions

Format = Literal["table", "md", "latex", "csv", "json", "html"]
SUFFIXES: Mapping[str, Format] = {
    ".txt": "table",
    ".md": "md",
    ".tex": "latex",
    ".csv": "csv",
    ".json": "json",
    ".html": "html",
}
WIDTH = 120
"""Of a table that is written into a file."""


def format_of(form: str | None, output: Path | None) -> Format:
    """The format asked for, else the one that the file's name ends in, else a table.

    Raises:
        ConfigError: a file with an ending that no format has.
    """
    if form in get_args(Format):
        return cast(Format, form)
    if output is None:
        return "table"
    if output.suffix not in SUFFIXES:
        raise ConfigError(f"-o {output}: the ending tells no format ({', '.join(SUFFIXES)}); add --format")
    return SUFFIXES[output.suffix]


def show(
    boards: Sequence[BoardContent],
    form: Format,
    output: Path | None,
    extra: Mapping[str, Any] | None = None,
    latex_options: LatexOptions | None = None,
) -> None:
    """Write boards to a file, or print them.

    Args:
        extra: further members of the JSON object.
        latex_options: how LaTeX tables look.

    Raises:
        ConfigError: a page of several tasks, or a file that cannot be written.
    """
    if form == "table":
        _print_tables(boards, output)
        return
    text = text_of(boards, form, extra, latex_options)
    for board in boards:
        say_skipped(board.skipped)
    if output is None:
        sys.stdout.write(text)
    else:
        write_output(output, text, "-o")


def text_of(
    boards: Sequence[BoardContent],
    form: Format,
    extra: Mapping[str, Any] | None = None,
    latex_options: LatexOptions | None = None,
) -> str:
    """Boards in one of the formats that are text of their own, ending in a line break."""
    if form == "json":
        from xlt_bench.leaderboard.render.plain_data import as_json

        return as_json(boards, extra)
    if form == "csv":
        from xlt_bench.leaderboard.render.plain_data import as_csv

        return as_csv(boards)
    if form == "html":
        from xlt_bench.leaderboard.render.page.document import page

        return page(only(boards, "an HTML page is"))
    if form == "latex":
        from xlt_bench.leaderboard.render.latex import latex

        return "\n".join(latex(board, latex_options) for board in boards)
    from xlt_bench.leaderboard.render.markup import markdown

    return "\n".join(markdown(board) for board in boards)


def only(boards: Sequence[BoardContent], product: str) -> BoardContent:
    """The one board, where a thing can be of one task only."""
    if len(boards) > 1:
        ways = ", ".join(f"--task {board.task}@{board.task_hash[:4]}" for board in boards)
        raise ConfigError(f"{product} of one task, and there are {len(boards)}; choose one: {ways}")
    return boards[0]


def say_skipped(skipped: Sequence[str]) -> None:
    """Name on standard error what was left out, where the text on standard output has no place for it."""
    for line in skipped:
        print(f"skipped {clean(line)}", file=sys.stderr)
    if skipped:
        print(f"{len(skipped)} Record{'' if len(skipped) == 1 else 's'} skipped", file=sys.stderr)


def _print_tables(boards: Sequence[BoardContent], output: Path | None) -> None:
    from xlt_bench.leaderboard.render.terminal import BoardView

    parts: list[RenderableType] = []
    for board in boards:
        parts += [*([Text()] if parts else []), BoardView(board)]
    if output is None:
        Console(highlight=False).print(Group(*parts))
        return
    console = Console(width=WIDTH, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(Group(*parts))
    write_output(output, "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()), "-o")
