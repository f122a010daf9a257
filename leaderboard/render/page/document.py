"""The board as one HTML file that opens from disk: no request leaves it, and its policy forbids any.

The tables and what is known of each row are written here, so that they stand without JavaScript; `assets/js` adds
figures, sorting and filters from the data embedded as JSON.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from string import Template

from xlt_bench.leaderboard.board.model import BoardContent, BoardSection
from xlt_bench.leaderboard.render.page.data import embedded, opening_group
from xlt_bench.leaderboard.render.page.findings import finding
from xlt_bench.leaderboard.render.page.sections import interval_kinds, section_of
from xlt_bench.leaderboard.render.page.texts import capitalised, escaped, foreign, plural
from xlt_bench.leaderboard.render.words import randomness

STYLES = ("base", "controls", "tables", "figures", "print")
SCRIPTS = (
    "elements", "board", "words", "state", "scales", "colours", "export", "explore", "figures", "selection", "tables",
    "dots", "pairs", "heatmap", "map", "differences", "curves", "details", "start",
)  # fmt: skip
"""One concept each, in the order in which they are put together; each uses only what stands before it, or is called
after all have been read."""

_FAMILIES = {
    "group": "tests of each target group corrected together",
    "table": "tests of all target groups of a table corrected together",
}


def page(board: BoardContent) -> str:
    """The whole file as text, to be written as UTF-8; equal boards give equal bytes."""
    css = "\n".join(_asset("css", f"{name}.css") for name in STYLES)
    js = '"use strict";\n{\n' + "\n".join(_asset("js", f"{name}.js") for name in SCRIPTS) + "}\n"
    return Template(_asset("page.html")).substitute(
        policy=_policy(css, js),
        css=css,
        js=js,
        data=embedded(board, _asset("land.txt").strip()),
        task=escaped(board.task),
        task_data=f"content hash <code>{escaped(board.task_hash)}</code>" if board.task_hash else "as published",
        finding=_first_finding(board),
        level=f"{100 * board.level:g}",
        alpha=f"{100 * (1 - board.level):g}",
        interval=board.interval,
        random=randomness(board),
        families=_FAMILIES[board.family],
        metric=escaped(board.metric_title),
        metric_title=escaped(capitalised(board.metric_title)),
        intervals="".join(_option(kind, kind == board.interval) for kind in interval_kinds(board)),
        counts=_counts(board),
        contents="".join(_content(number, section) for number, section in enumerate(board.sections, 1)),
        caveats=_board_caveats(board),
        sections="\n".join(section_of(board, number, section) for number, section in enumerate(board.sections, 1)),
    )


def _asset(*path: str) -> str:
    return files(__package__).joinpath("assets", *path).read_text(encoding="utf-8")


def _policy(css: str, js: str) -> str:
    """Nothing may be loaded, and of inline style and script only what is shipped here: an injected handler is dead."""
    return (
        f"default-src 'none'; style-src '{_sha256(css)}'; script-src '{_sha256(js)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _first_finding(board: BoardContent) -> str:
    """On the group that the page opens on."""
    first = next((section for section in board.sections if section.groups), None)
    return foreign(finding(board, first, opening_group(first)) if first else "There is nothing to compare yet.")


def _option(value: str, selected: bool) -> str:
    return f'<option value="{value}"{" selected" if selected else ""}>{value}</option>'


def _counts(board: BoardContent) -> str:
    rows, sections = sum(len(section.rows) for section in board.sections), len(board.sections)
    return f"{plural(rows, 'configuration')} in {plural(sections, 'table')}"


def _content(number: int, section: BoardSection) -> str:
    return f'<li><a href="#s{number}">{foreign(section.title)}</a></li>\n'


def _board_caveats(board: BoardContent) -> str:
    parts = []
    if board.caveats:
        parts.append("<ul>" + "".join(f"<li>{foreign(caveat)}</li>" for caveat in board.caveats) + "</ul>")
    if board.skipped:
        lines = "".join(f"<li>{foreign(line)}</li>" for line in board.skipped)
        count = plural(len(board.skipped), "Record")
        parts.append(
            f"<details><summary>{count} could not be read and {'is' if len(board.skipped) == 1 else 'are'} "
            f"not on this board</summary><ul>{lines}</ul></details>"
        )
    return "\n".join(parts)
