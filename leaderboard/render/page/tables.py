"""One table of the page: a line a configuration, for each target group the columns that say something there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.render.notes import outlier_texts
from xlt_bench.leaderboard.render.page.cells import (
    EVIDENCE,
    NO_VARIANCE,
    bounds_text,
    column_head,
    difference_cell,
    group_attributes,
    number_cell,
    rank_cell,
    scores_of,
)
from xlt_bench.leaderboard.render.page.data import DIGITS
from xlt_bench.leaderboard.render.page.texts import capitalised, escaped, foreign, plural
from xlt_bench.leaderboard.render.words import percent
from xlt_bench.stats import IntervalMethod

LISTED = 24
"""How many missing languages a footnote names."""
LONGEST_MARK = 16
"""Letters of a remark that stands in its cell; a longer one becomes a footnote."""

_VALUE = "value"
"""The column of the metric, which is headed by the metric's name."""
_KINDS = {_VALUE: "number", "Difference": "number", "Rank": "rank", "Languages": "number"}


class Footnotes:
    """The numbered notes of one table; the same sentence has one number."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers: dict[str, int] = {}

    def mark(self, sentence: str) -> str:
        """A link to the note."""
        number = self._numbers.setdefault(sentence, len(self._numbers) + 1)
        return f'<a class="note" href="#{self._prefix}-n{number}"><span class="quiet">note </span>{number}</a>'

    def listed(self) -> str:
        """All notes, in order of their numbers."""
        if not self._numbers:
            return ""
        items = "".join(
            f'<li id="{self._prefix}-n{number}">{foreign(sentence)}</li>\n'
            for sentence, number in self._numbers.items()
        )
        return f'<details open class="notes"><summary>Notes to the table</summary><ol>\n{items}</ol></details>'


@dataclass
class PageTable:
    """One section's table.

    Attributes:
        kinds: the intervals that a cell holds; the style shows one of them.
        columns: of each target group.
        references: the rows that others are compared with, as `Against` names them.
    """

    board: BoardContent
    section: BoardSection
    kinds: Sequence[IntervalMethod]
    notes: Footnotes
    columns: tuple[str, ...] = field(init=False)
    references: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        scores = list(scores_of(self.section))
        self.references = frozenset(score.against.reference for score in scores if score.against)
        columns = {
            _VALUE: True,
            "Difference": bool(self.references),
            "Rank": any(score.rank is not None for score in scores),
            "Languages": True,
        }
        self.columns = tuple(name for name, is_needed in columns.items() if is_needed)

    def head(self) -> str:
        """Two lines: the groups, and below each its columns."""
        span = len(self.columns)
        groups = [
            f'<th scope="colgroup" colspan="{span}" class="group first" data-group="{index}">{foreign(name)}</th>'
            for index, name in enumerate(self.section.groups)
        ]
        method = column_head("Method", "text", 0, ' rowspan="2"')
        second = [
            column_head(
                capitalised(self.board.metric_title) if title == _VALUE else title,
                _KINDS[title],
                1 + index * span + offset,
                group_attributes(index, "" if offset else "first"),
            )
            for index in range(len(groups))
            for offset, title in enumerate(self.columns)
        ]
        return f"<tr>{method}{''.join(groups)}</tr>\n<tr>{''.join(second)}</tr>"

    def row(self, index: int, row: BoardRow) -> str:
        """One configuration."""
        cells = [self._group(number, row.scores.get(group), group) for number, group in enumerate(self.section.groups)]
        return f'<tr data-row="{index}">{self._method(row)}{"".join(cells)}</tr>'

    def _method(self, row: BoardRow) -> str:
        """The row's head: with it a reader who has scrolled sideways still knows which row this is."""
        about = f'<span class="evidence {row.evidence}">{EVIDENCE[row.evidence]}</span>'
        if f"{row.label}, sources {row.sources}" in self.references:
            about += ' <span class="evidence">reference</span>'
        if row.learned_from:
            about = f"{foreign(row.sources)} {about}"
        if row.failed_seeds:
            seeds_failed = ", ".join(str(seed) for seed in row.failed_seeds)
            about += f' <span class="mark">{plural(len(row.failed_seeds), "seed")} failed: {seeds_failed}</span>'
        outliers = [f"Outlier seed: {text}." for text in outlier_texts(row)]
        caveats = "".join(self.notes.mark(caveat) for caveat in (*row.caveats, *outliers))
        link = f'<a class="row-link" href="#row-{escaped(row.key)}">{foreign(row.label)}</a>'
        return f'<th scope="row">{link}{caveats} <span class="about">{about}</span></th>'

    def _group(self, index: int, score: RowScore | None, group: str) -> str:
        """The cells of a target group."""
        if score is None:
            return "".join(
                number_cell(None, "", group_attributes(index, "number" if offset else "number first"))
                for offset in range(len(self.columns))
            )
        attributes = group_attributes(index, "number")
        value = f"<b>{percent(score.value)}</b>{self._intervals(score)}"
        cells = {
            _VALUE: number_cell(round(score.value, DIGITS), value, group_attributes(index, "number first")),
            "Difference": difference_cell(score.against, attributes),
            "Rank": rank_cell(score, len(self.section.ranked_on.get(group, ())), attributes),
            "Languages": self._languages(score, attributes),
        }
        return "".join(cells[name] for name in self.columns)

    def _intervals(self, score: RowScore) -> str:
        """All kinds of intervals, and the marks."""
        bare = score.two_way is None and score.bootstrap is None
        flags = {
            "one run": score.hollow,
            "these answers": score.inference == "these answers",
            "at chance": score.at_chance,
            "outlier seed": bool(score.outliers),
        }
        marks = [name for name, holds in flags.items() if holds]
        if score.items:  # that a printed figure is one is said by the caption or in place of the interval
            present = {"", NO_VARIANCE, *marks}
            marks += [remark for remark in (score.note or "").split("; ") if remark not in present]
        if bare:  # where all are, the caption says it
            intervals = ' <span class="interval">no interval</span>' if "Rank" in self.columns else ""
        else:
            intervals = "".join(
                f' <span class="interval {kind}">{bounds_text(score.bounds(kind))}</span>' for kind in self.kinds
            )
        long = "".join(self.notes.mark(f"{mark[:1].upper()}{mark[1:]}.") for mark in marks if len(mark) > LONGEST_MARK)
        short = "".join(f' <span class="mark">{foreign(mark)}</span>' for mark in marks if len(mark) <= LONGEST_MARK)
        return long + intervals + short

    def _languages(self, score: RowScore, attributes: str) -> str:
        if not score.missing:
            return number_cell(score.languages, str(score.languages), attributes)
        named = ", ".join(score.missing[:LISTED])
        more = f" and {len(score.missing) - LISTED} more" if len(score.missing) > LISTED else ""
        mark = self.notes.mark(f"Without {plural(len(score.missing), 'language')} of the group: {named}{more}.")
        total = score.languages + len(score.missing)
        return number_cell(score.languages, f'<span class="mark">{score.languages} of {total}</span>{mark}', attributes)
