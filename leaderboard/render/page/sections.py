"""The sections of the page: each a title, what its rows have in common, a table, and its rows in detail."""

from __future__ import annotations

from xlt_bench.leaderboard.board.model import BoardContent, BoardSection
from xlt_bench.leaderboard.render.notes import TOO_FEW_SEEDS, family_notes
from xlt_bench.leaderboard.render.page.cells import scores_of
from xlt_bench.leaderboard.render.page.details import row_details
from xlt_bench.leaderboard.render.page.tables import Footnotes, PageTable
from xlt_bench.leaderboard.render.page.texts import capitalised, foreign, plural
from xlt_bench.leaderboard.render.words import is_exploratory
from xlt_bench.stats import IntervalMethod


def interval_kinds(board: BoardContent) -> tuple[IntervalMethod, ...]:
    """The intervals that the page holds."""
    return ("two-way", "bootstrap", "seeds") if board.interval == "seeds" else ("two-way", "bootstrap")


def section_of(board: BoardContent, number: int, section: BoardSection) -> str:
    """A section with its table, its notes, and all that is known of each row."""
    name = f"s{number}"
    table = PageTable(board, section, interval_kinds(board), Footnotes(name))
    body = "\n".join(table.row(index, row) for index, row in enumerate(section.rows))
    details = "\n".join(row_details(section, row) for row in section.rows)
    groups = "; ".join(_group_in_words(board, section, group) for group in section.groups)
    return f"""<section id="{name}" class="settings" data-section="{number - 1}" aria-labelledby="{name}-title">
<h2 id="{name}-title">{foreign(section.title)}</h2>
<p class="about-table">{_setting_in_words(section)} Target groups: {groups}.</p>
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
<p class="without" data-js hidden></p>
{table.notes.listed()}
<h3 id="{name}-rows">Each row in detail</h3>
<div class="rows">
{details}
</div>
</section>"""


def _setting_in_words(section: BoardSection) -> str:
    facts = (("Setting", section.setting), ("protocol", section.protocol), ("backbone", section.backbone))
    words = ", ".join(f"{name} {foreign(value)}" for name, value in facts if value)
    return f"{capitalised(words)}." if words else ""


def _group_in_words(board: BoardContent, section: BoardSection, group: str) -> str:
    count, ranked = len(section.groups[group]), section.ranked_on.get(group, ())
    kind = ", exploratory" if is_exploratory(board, section, group) else ""
    words = f"<b>{foreign(group)}</b> ({plural(count, 'language')}{kind}"
    return f"{words})" if len(ranked) in (0, count) else f"{words}, ranked on {len(ranked)})"


def _caption(board: BoardContent, section: BoardSection) -> str:
    scores = list(scores_of(section))
    metric = capitalised(board.metric_title)
    sentences = [f"{metric} in per cent."]
    if any(score.two_way or score.bootstrap for score in scores):
        sentences[0] = f"{metric} in per cent with its interval."
    else:
        sentences.append("All are point values as published: no interval, no test, no rank.")
    if any(score.letters for score in scores):
        sentences += ["Rows that share a letter are not told apart.", *map(foreign, family_notes(board, section))]
        if board.interval == "seeds":
            sentences.append(TOO_FEW_SEEDS)
    references = sorted({score.against.reference for score in scores if score.against})
    if references:
        several = " or ".join(map(foreign, references)) + (" (that of the same sources)" if len(references) > 1 else "")
        sentences.append(
            f"Difference: from {several}, on the languages that all ranked rows have, with its own interval, and p "
            "after Holm's correction over the rows compared with it, by which it is bold."
        )
    return " ".join([*sentences, "Rows of other tables are not comparable with these."])
