"""All that is known of a row, behind its name: an anchor that can be linked to, and open without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

from xlt_bench.leaderboard.board.model import BoardRow, BoardSection
from xlt_bench.leaderboard.render.notes import row_name
from xlt_bench.leaderboard.render.page.cells import EVIDENCE, origin_text
from xlt_bench.leaderboard.render.page.texts import escaped, foreign


def row_details(section: BoardSection, row: BoardRow) -> str:
    """A closed element with facts of the row; the script adds its numbers on every group, which the table has too."""
    facts = "".join(f"<dt>{title}</dt><dd>{markup}</dd>" for title, markup in _facts(row) if markup)
    return f"""<details class="row-details" id="row-{escaped(row.key)}">
<summary>{foreign(row_name(section, row))}</summary>
<dl class="facts-of-row">{facts}</dl>
</details>"""


def _facts(row: BoardRow) -> Iterator[tuple[str, str]]:
    parameters = row.trainable_parameters
    yield "Sources", foreign(row.learned_from)
    yield "Resources", foreign(", ".join(row.resources))
    yield "Evidence", EVIDENCE[row.evidence]
    yield "Seeds", ", ".join(map(str, row.seeds))
    yield "Seeds that failed", ", ".join(map(str, row.failed_seeds))
    yield "Checkpoint selected on", foreign(row.selected_on)
    yield "Setting", f"tuned on source dev in {row.tuned} trials" if row.tuned is not None else ""
    yield "Trained parameters", "" if parameters is None else f"{parameters:,}"
    yield "Origin and licence", origin_text(row)
    yield "To know", " ".join(map(foreign, row.caveats))
    yield "Configuration", f"<code>{escaped(row.key)}</code>"
