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
    Console(file=out, width=WIDTH, highlight=False, color_system=None).print(content)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def as_html(content: RenderableType) -> str:
    """One `pre` element with inline styles; every text of the content is escaped."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, record=True, color_system="truecolor")
    console.print(content)
    return console.export_html(inline_styles=True, code_format='<pre style="line-height:1.25">{code}</pre>')
