"""One table of the page: a line a configuration, for each target group the columns that say something there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xlt_bench.leaderboard.board.model import Against, BoardRow, Bounds, GroupScore, Section
from xlt_bench.leaderboard.render.page_data import DIGITS
from xlt_bench.leaderboard.render.page_text import escaped, foreign, plural
from xlt_bench.leaderboard.render.words import p_value, percent
from xlt_bench.stats import IntervalMethod

EVIDENCE = {"per_item": "per item", "per_language": "per language", "aggregate": "aggregate"}
LISTED = 24
"""How many missing languages a footnote names."""
LONGEST_MARK = 16
"""Letters of a remark that stands in its cell; a longer one becomes a footnote."""

NO_VARIANCE = "no variance"
_NONE = "\u2013"
_KINDS = {"Accuracy": "number", "Difference": "number", "Rank": "rank", "Languages": "number"}
_TRAIL = (
    ("Sources", "text"),
    ("Evidence", "text"),
    ("Seeds", "number"),
    ("Selected on", "text"),
    ("Trained parameters", "number"),
    ("Origin and licence", "text"),
)


def scores_of(section: Section) -> Iterator[GroupScore]:
    """All scores of a section."""
    for row in section.rows:
        yield from row.scores.values()


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
class Table:
    """One section's table.

    Attributes:
        kinds: the intervals that a cell holds; the style shows one of them.
        columns: of each target group.
        references: the rows that others are compared with, as `Against` names them.
    """

    section: Section
    kinds: Sequence[IntervalMethod]
    notes: Footnotes
    columns: tuple[str, ...] = field(init=False)
    references: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        scores = list(scores_of(self.section))
        self.references = frozenset(score.against.reference for score in scores if score.against)
        shown = {
            "Accuracy": True,
            "Difference": bool(self.references),
            "Rank": any(score.rank is not None for score in scores),
            "Languages": True,
        }
        self.columns = tuple(name for name, wanted in shown.items() if wanted)

    def head(self) -> str:
        """Two lines: the groups, and below each its columns."""
        wide = len(self.columns)
        groups = [
            f'<th scope="colgroup" colspan="{wide}" class="group first" data-group="{index}">{foreign(name)}</th>'
            for index, name in enumerate(self.section.groups)
        ]
        method = _column("Method", "text", 0, ' rowspan="2"')
        second = [
            _column(title, _KINDS[title], 1 + index * wide + offset, _place(index, "" if offset else "first"))
            for index in range(len(groups))
            for offset, title in enumerate(self.columns)
        ]
        trail = [_column(title, kind, 1 + len(second) + at, ' rowspan="2"') for at, (title, kind) in enumerate(_TRAIL)]
        return f"<tr>{method}{''.join(groups + trail)}</tr>\n<tr>{''.join(second)}</tr>"

    def row(self, index: int, row: BoardRow) -> str:
        """One configuration."""
        seeds = len(row.seeds) or max((score.seeds for score in row.scores.values()), default=0)
        parameters = row.trainable_parameters
        cells = [
            self._method(row),
            *(self._group(at, group, row.scores.get(group)) for at, group in enumerate(self.section.groups)),
            f"<td>{foreign(row.learned_from)}</td>",
            f'<td class="number">{EVIDENCE[row.evidence]}</td>',
            _number(seeds or None, str(seeds)),
            f"<td>{foreign(row.selected_on)}</td>",
            _number(parameters, f"{parameters:,}" if parameters is not None else ""),
            f'<td class="origin">{_origin(row)}</td>',
        ]
        return f'<tr data-row="{index}">{"".join(cells)}</tr>'

    def _method(self, row: BoardRow) -> str:
        """The row's head: with it a reader who has scrolled sideways still knows which row this is."""
        about = f'<span class="evidence {row.evidence}">{EVIDENCE[row.evidence]}</span>'
        if f"{row.label}, sources {row.sources}" in self.references:
            about += ' <span class="evidence">reference</span>'
        if row.learned_from:
            about = f"{foreign(row.sources)} {about}"
        if row.failed_seeds:
            which = ", ".join(str(seed) for seed in row.failed_seeds)
            about += f' <span class="mark">{plural(len(row.failed_seeds), "seed")} failed: {which}</span>'
        caveats = "".join(self.notes.mark(caveat) for caveat in row.caveats)
        return f'<th scope="row">{foreign(row.label)}{caveats} <span class="about">{about}</span></th>'

    def _group(self, index: int, group: str, score: GroupScore | None) -> str:
        """The cells of a target group."""
        if score is None:
            return "".join(
                _number(None, "", _place(index, "number" if at else "number first")) for at in range(len(self.columns))
            )
        place = _place(index, "number")
        accuracy = f"<b>{percent(score.accuracy)}</b>{self._intervals(score)}"
        cells = {
            "Accuracy": _number(round(score.accuracy, DIGITS), accuracy, _place(index, "number first")),
            "Difference": _difference(score.against, place),
            "Rank": _rank(score, len(self.section.ranked_on.get(group, ())), place),
            "Languages": self._languages(score, place),
        }
        return "".join(cells[name] for name in self.columns)

    def _intervals(self, score: GroupScore) -> str:
        """All kinds of intervals, and the marks."""
        bare = score.two_way is None and score.bootstrap is None
        marks = [*(["one run"] if score.seeds == 1 and not bare else []), *(["at chance"] if score.at_chance else [])]
        if score.items:  # that a printed figure is one is said by the caption or in place of the interval
            known = {"", NO_VARIANCE, *marks}
            marks += [remark for remark in (score.note or "").split("; ") if remark not in known]
        if bare:  # where all are, the caption says it
            intervals = ' <span class="interval">no interval</span>' if "Rank" in self.columns else ""
        else:
            intervals = "".join(
                f' <span class="interval {kind}">{_bounds(score.bounds(kind))}</span>' for kind in self.kinds
            )
        long = "".join(self.notes.mark(f"{mark[:1].upper()}{mark[1:]}.") for mark in marks if len(mark) > LONGEST_MARK)
        short = "".join(f' <span class="mark">{foreign(mark)}</span>' for mark in marks if len(mark) <= LONGEST_MARK)
        return long + intervals + short

    def _languages(self, score: GroupScore, place: str) -> str:
        if not score.missing:
            return _number(score.languages, str(score.languages), place)
        named = ", ".join(score.missing[:LISTED])
        rest = f" and {len(score.missing) - LISTED} more" if len(score.missing) > LISTED else ""
        mark = self.notes.mark(f"Without {plural(len(score.missing), 'language')} of the group: {named}{rest}.")
        total = score.languages + len(score.missing)
        return _number(score.languages, f'<span class="mark">{score.languages} of {total}</span>{mark}', place)


# Cells


def _column(title: str, kind: str, column: int, more: str) -> str:
    return f'<th scope="col" data-kind="{kind}" data-column="{column}"{more}>{title}</th>'


def _place(group: int, kind: str) -> str:
    return f' data-group="{group}"' + (f' class="{kind}"' if kind else "")


def _number(value: float | None, shown: str, more: str = ' class="number"') -> str:
    return f"<td{more}>{_NONE}</td>" if value is None else f'<td data-value="{value}"{more}>{shown}</td>'


def _origin(row: BoardRow) -> str:
    told = [foreign(text) for text in dict.fromkeys((row.origin, row.source)) if text]
    licence = [f'<span class="about">licence: {foreign(row.licence)}</span>'] if row.licence else []
    return " ".join(["; ".join(told), *licence])


def _bounds(bounds: Bounds | None) -> str:
    if bounds is None:
        return "no interval"
    if bounds.low == bounds.high:
        return NO_VARIANCE
    return f"[{percent(max(bounds.low, 0.0))}, {percent(min(bounds.high, 1.0))}]"


def _difference(found: Against | None, place: str) -> str:
    """In bold where the corrected test finds one."""
    if found is None:
        return _number(None, "", place)
    number = f"{100 * found.difference:+.1f}"
    bounds = f"[{100 * found.bounds.low:+.1f}, {100 * found.bounds.high:+.1f}]"
    p = "no test" if found.p is None else f"p {escaped(p_value(found.p))}"
    shown = f"<b>{number}</b>" if found.verdict in ("better", "worse") else number
    return _number(round(found.difference, DIGITS), f'{shown} <span class="interval">{bounds} {p}</span>', place)


def _rank(score: GroupScore, ranked: int, place: str) -> str:
    """The range that the true rank lies in, and the accuracy that it is of where that reads differently."""
    if score.rank is None:
        return f'<td{place}>{_NONE}<span class="quiet"> not tested</span></td>'
    range_ = str(score.rank) if score.worst_rank in (None, score.rank) else f"{score.rank}{_NONE}{score.worst_rank}"
    shown = f'{range_} <span class="letters">{escaped(score.letters)}</span>'
    if score.ranked_accuracy is not None and percent(score.ranked_accuracy) != percent(score.accuracy):
        shown += f' <span class="interval">{percent(score.ranked_accuracy)} on {ranked}</span>'
    return _number(score.rank, shown, place)
