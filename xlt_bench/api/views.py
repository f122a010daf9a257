"""What a terminal shows, as text and as HTML for notebooks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 110
"""Characters of a line."""


def as_text(content: RenderableType) -> str:
    """Without colours, and without blanks at the ends of lines."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, highlight=False, color_system=None, force_jupyter=False).print(content)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def as_html(content: RenderableType) -> str:
    """One `pre` element with inline styles; every text of the content is escaped."""
    from rich.console import Console

    console = Console(
        file=io.StringIO(), width=WIDTH, highlight=False, record=True, color_system="truecolor", force_jupyter=False
    )
    console.print(content)
    return console.export_html(inline_styles=True, code_format='<pre style="line-height:1.25">{code}</pre>')


def show_figures_in_notebooks() -> None:
    """Let a notebook show a figure that no pyplot made, as `%matplotlib inline` does, unless something else does."""
    from IPython import get_ipython
    from IPython.core.pylabtools import select_figure_formats
    from matplotlib.figure import Figure

    shell = get_ipython()
    try:
        shell.display_formatter.formatters["image/png"].lookup_by_type(Figure)
    except KeyError:
        select_figure_formats(shell, {"png"})
