"""The sections of the page: each a title, what its rows have in common, a table, and the place of a figure."""

from __future__ import annotations

from xlt_bench.leaderboard.board.model import Board, Section
from xlt_bench.leaderboard.render.page_tables import Footnotes, Table, scores_of
from xlt_bench.leaderboard.render.page_text import foreign, plural
from xlt_bench.leaderboard.render.words import TOO_FEW_SEEDS
from xlt_bench.stats import IntervalMethod


def interval_kinds(board: Board) -> tuple[IntervalMethod, ...]:
    """The intervals that the page holds."""
    return ("two-way", "bootstrap", "seeds") if board.interval == "seeds" else ("two-way", "bootstrap")


def section_of(board: Board, number: int, section: Section) -> str:
    """A section with its table, its notes, and the place of its figure."""
    name = f"s{number}"
    table = Table(section, interval_kinds(board), Footnotes(name))
    body = "\n".join(table.row(index, row) for index, row in enumerate(section.rows))
    groups = "; ".join(_group_in_words(section, group) for group in section.groups)
    return f"""<section id="{name}" class="settings" data-section="{number - 1}" aria-labelledby="{name}-title">
<h2 id="{name}-title">{foreign(section.title)}</h2>
<p>{_setting_in_words(section)} Target groups: {groups}.</p>
<div class="scroll" role="region" aria-labelledby="{name}-title" tabindex="0">
<table class="board">
<caption>{_caption(board, section)}</caption>
<thead>
{table.head()}
</thead>
<tbody>
{body}
</tbody>
</table>
</div>
{table.notes.listed()}
<div class="plot" data-js hidden></div>
</section>"""


def _setting_in_words(section: Section) -> str:
    facts = (("Setting", section.setting), ("protocol", section.protocol), ("backbone", section.backbone))
    known = ", ".join(f"{name} {foreign(value)}" for name, value in facts if value)
    return f"{known[:1].upper()}{known[1:]}." if known else ""


def _group_in_words(section: Section, group: str) -> str:
    count, ranked = len(section.groups[group]), section.ranked_on.get(group, ())
    words = f"<b>{foreign(group)}</b> ({plural(count, 'language')}"
    return f"{words})" if len(ranked) in (0, count) else f"{words}, ranked on {len(ranked)})"


def _caption(board: Board, section: Section) -> str:
    scores = list(scores_of(section))
    told = ["Accuracy in per cent."]
    if any(score.two_way or score.bootstrap for score in scores):
        told[0] = "Accuracy in per cent with its interval."
    else:
        told.append("All are point values as published: no interval, no test, no rank.")
    if any(score.letters for score in scores):
        told.append("Rows that share a letter are not told apart.")
        if board.interval == "seeds":
            told.append(TOO_FEW_SEEDS)
    references = sorted({score.against.reference for score in scores if score.against})
    if references:
        several = " or ".join(map(foreign, references)) + (" (that of the same sources)" if len(references) > 1 else "")
        told.append(
            f"Difference: from {several}, on the languages that all ranked rows have, with its own interval, and p "
            "after Holm's correction over the rows compared with it, by which it is bold."
        )
    return " ".join([*told, "Rows of other tables are not comparable with these."])
