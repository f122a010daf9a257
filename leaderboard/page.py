"""The board as one HTML file that opens from disk: no request leaves it, and its policy forbids any.

The tables are written here, so that they stand without JavaScript; `page/page.js` adds sorting, filters and figures
from the data embedded as JSON. Every text of a board may come from somebody else's file, so none enters the markup
unescaped: see `_text` and `_embedded`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

from .model import Board, BoardRow, Bounds, GroupScore, LanguageFacts, Section

EVIDENCE = {"per_item": "per item", "per_language": "per language", "aggregate": "aggregate"}
LISTED = 24
"""How many missing languages a footnote names."""
LONGEST_MARK = 16
"""Letters of a remark that stands in its cell; a longer one becomes a footnote."""

_DIGITS = 6
_TRAIL = (
    ("Sources", "text"),
    ("Evidence", "text"),
    ("Seeds", "number"),
    ("Selected on", "text"),
    ("Trained parameters", "number"),
    ("Origin", "text"),
)
_PER_GROUP = (("Accuracy", "number"), ("Rank", "rank"), ("Languages", "number"))


def page(board: Board) -> str:
    """The whole file as text, to be written as UTF-8; equal boards give equal bytes."""
    css, js = _resource("page.css"), _resource("page.js")
    return Template(_resource("page.html")).substitute(
        policy=_policy(css, js),
        css=css,
        js=js,
        data=_embedded(_data(board)),
        task=_text(board.task),
        task_hash=_text(board.task_hash),
        level=f"{100 * board.level:g}",
        counts=_counts(board),
        contents="".join(_content(number, section) for number, section in enumerate(board.sections, 1)),
        caveats=_board_caveats(board),
        sections="\n".join(_section(number, section) for number, section in enumerate(board.sections, 1)),
    )


def _resource(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _policy(css: str, js: str) -> str:
    """Nothing may be loaded, and of inline style and script only what is shipped here: an injected handler is dead."""
    return (
        f"default-src 'none'; style-src '{_sha256(css)}'; script-src '{_sha256(js)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# Texts and data


def _clean(text: str) -> str:
    """Without what UTF-8 or HTML cannot hold: lone surrogates and control characters."""
    return "".join("\ufffd" if c < " " or "\x7f" <= c < "\xa0" or "\ud800" <= c <= "\udfff" else c for c in text)


def _text(text: str) -> str:
    """Safe as an element's content and as a quoted attribute."""
    return html.escape(_clean(text), quote=True)


def _foreign(text: str) -> str:
    """Somebody else's text, which cannot turn its neighbours around either."""
    return f"<bdi>{_text(text)}</bdi>"


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element: it never holds <, > or &."""
    plain = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(board: Board) -> dict[str, Any]:
    """What page.js draws from; languages are lists in one order, so that rows need no codes."""
    rows = [row for section in board.sections for row in section.rows]
    codes = sorted({*board.languages, *(code for row in rows for code in row.by_language)})
    return {
        "level": f"{100 * board.level:g}",
        "languages": [_language(board, code) for code in codes],
        "sections": [_section_data(board, section, codes) for section in board.sections],
    }


def _language(board: Board, code: str) -> dict[str, Any]:
    facts = board.languages.get(code, LanguageFacts(code, "", "", None, None))
    return {
        "code": _clean(code),
        "name": _clean(facts.name),
        "family": _clean(facts.family),
        "script": _clean(facts.script),
        "joshi": facts.joshi,
        "seen": facts.seen,
        "chance": _rounded(board.chance.get(code)),
    }


def _section_data(board: Board, section: Section, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "title": _clean(section.title),
        "groups": [{"name": _clean(name), "chance": _chance(board, group)} for name, group in section.groups.items()],
        "rows": [_row_data(row, section.groups, codes) for row in section.rows],
    }


def _chance(board: Board, codes: Sequence[str]) -> float | None:
    """The majority class's mean accuracy on a group, where it is known for all of its languages."""
    values = [board.chance[code] for code in codes if code in board.chance]
    return _rounded(sum(values) / len(values)) if values and len(values) == len(codes) else None


def _row_data(row: BoardRow, groups: Iterable[str], codes: Sequence[str]) -> dict[str, Any]:
    return {
        "label": _clean(row.label),
        "sources": _clean(row.sources),
        "evidence": row.evidence,
        "origin": _clean(row.origin),
        "scores": [_score_data(row.scores.get(name)) for name in groups],
        "byLanguage": [_rounded(row.by_language.get(code)) for code in codes] if row.by_language else None,
    }


def _score_data(score: GroupScore | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "accuracy": _rounded(score.accuracy),
        "twoWay": _ends(score.two_way),
        "bootstrap": _ends(score.bootstrap),
        "letters": _clean(score.letters),
        "atChance": score.at_chance,
    }


def _ends(bounds: Bounds | None) -> list[float | None] | None:
    return None if bounds is None else [_rounded(bounds.low), _rounded(bounds.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


# Head of the page


def _counts(board: Board) -> str:
    rows, sections = sum(len(section.rows) for section in board.sections), len(board.sections)
    return f"{_plural(rows, 'configuration')} in {_plural(sections, 'section')}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _content(number: int, section: Section) -> str:
    return f'<li><a href="#s{number}">{_foreign(section.title)}</a></li>\n'


def _board_caveats(board: Board) -> str:
    parts = []
    if board.caveats:
        parts.append("<ul>" + "".join(f"<li>{_foreign(caveat)}</li>" for caveat in board.caveats) + "</ul>")
    if board.skipped:
        lines = "".join(f"<li>{_foreign(line)}</li>" for line in board.skipped)
        count = _plural(len(board.skipped), "Record")
        parts.append(
            f"<details><summary>{count} could not be read and {'is' if len(board.skipped) == 1 else 'are'} "
            f"not on this board</summary><ul>{lines}</ul></details>"
        )
    return "\n".join(parts)


# Tables


class _Footnotes:
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
            f'<li id="{self._prefix}-n{number}">{_foreign(sentence)}</li>\n'
            for sentence, number in self._numbers.items()
        )
        return f'<details open class="notes"><summary>Notes to the table</summary><ol>\n{items}</ol></details>'


def _section(number: int, section: Section) -> str:
    name, notes = f"s{number}", _Footnotes(f"s{number}")
    body = "\n".join(_table_row(index, row, section, notes) for index, row in enumerate(section.rows))
    groups = "; ".join(_group_in_words(section, group) for group in section.groups)
    return f"""<section id="{name}" class="settings" data-section="{number - 1}" aria-labelledby="{name}-title">
<h2 id="{name}-title">{_foreign(section.title)}</h2>
<p>{_setting_in_words(section)} Target groups: {groups}.</p>
<div class="scroll" role="region" aria-labelledby="{name}-title" tabindex="0">
<table class="board">
<caption>Accuracy in per cent with its interval. Rows that share a letter are not told apart; \
rows of other tables are not comparable with these.</caption>
<thead>
{_head(section)}
</thead>
<tbody>
{body}
</tbody>
</table>
</div>
{notes.listed()}
<div class="plot" data-js hidden></div>
</section>"""


def _setting_in_words(section: Section) -> str:
    facts = (("Setting", section.setting), ("protocol", section.protocol), ("backbone", section.backbone))
    known = ", ".join(f"{name} {_foreign(value)}" for name, value in facts if value)
    return f"{known[:1].upper()}{known[1:]}." if known else ""


def _group_in_words(section: Section, group: str) -> str:
    count, ranked = len(section.groups[group]), section.ranked_on.get(group, ())
    words = f"<b>{_foreign(group)}</b> ({_plural(count, 'language')}"
    return f"{words})" if len(ranked) in (0, count) else f"{words}, ranked on {len(ranked)})"


def _head(section: Section) -> str:
    groups = [
        f'<th scope="colgroup" colspan="{len(_PER_GROUP)}" class="group" data-group="{index}">{_foreign(name)}</th>'
        for index, name in enumerate(section.groups)
    ]
    method = _column("Method", "text", 0, ' rowspan="2"')
    second = [
        _column(title, kind, 1 + index * len(_PER_GROUP) + offset, f' data-group="{index}"')
        for index in range(len(groups))
        for offset, (title, kind) in enumerate(_PER_GROUP)
    ]
    trail = [_column(title, kind, 1 + len(second) + at, ' rowspan="2"') for at, (title, kind) in enumerate(_TRAIL)]
    return f"<tr>{method}{''.join(groups + trail)}</tr>\n<tr>{''.join(second)}</tr>"


def _column(title: str, kind: str, column: int, more: str) -> str:
    return f'<th scope="col" data-kind="{kind}" data-column="{column}"{more}>{title}</th>'


def _table_row(index: int, row: BoardRow, section: Section, notes: _Footnotes) -> str:
    parameters = row.trainable_parameters
    cells = [
        _method(row, notes),
        *(_score(at, group, row.scores.get(group), section, notes) for at, group in enumerate(section.groups)),
        f"<td>{_foreign(row.sources)}</td>",
        f"<td>{EVIDENCE[row.evidence]}</td>",
        _number(len(row.seeds), str(len(row.seeds)) if row.seeds else "\u2013"),
        f"<td>{_foreign(row.selected_on)}</td>",
        '<td class="number">\u2013</td>' if parameters is None else _number(parameters, f"{parameters:,}"),
        f'<td class="origin">{_foreign(row.origin)}</td>',
    ]
    return f'<tr data-row="{index}">{"".join(cells)}</tr>'


def _method(row: BoardRow, notes: _Footnotes) -> str:
    """The row's head: with it a reader who has scrolled sideways still knows which row this is."""
    about = f'<span class="evidence {row.evidence}">{EVIDENCE[row.evidence]}</span>'
    if row.sources:
        about = f"{_foreign(row.sources)} {about}"
    if row.failed_seeds:
        which = ", ".join(str(seed) for seed in row.failed_seeds)
        about += f' <span class="mark">{_plural(len(row.failed_seeds), "seed")} failed: {which}</span>'
    caveats = "".join(notes.mark(caveat) for caveat in row.caveats)
    return f'<th scope="row">{_foreign(row.label)}{caveats} <span class="about">{about}</span></th>'


def _number(value: float, shown: str, more: str = "") -> str:
    return f'<td class="number" data-value="{value}"{more}>{shown}</td>'


def _score(index: int, group: str, score: GroupScore | None, section: Section, notes: _Footnotes) -> str:
    """The group's three cells."""
    place = f' data-group="{index}"'
    if score is None:
        return f'<td class="number"{place}>\u2013</td>' * len(_PER_GROUP)
    return (
        _number(round(score.accuracy, _DIGITS), f"<b>{percent(score.accuracy)}</b>{_intervals(score, notes)}", place)
        + _rank(score, len(section.ranked_on.get(group, ())), place)
        + _languages(score, place, notes)
    )


def percent(value: float) -> str:
    """An accuracy in [0, 1] as per cent with one digit."""
    return f"{100 * value:.1f}"


def _intervals(score: GroupScore, notes: _Footnotes) -> str:
    """Both intervals, of which the style shows one, and the marks."""
    bare = score.two_way is None and score.bootstrap is None
    marks = [*(["one run"] if score.seeds == 1 and not bare else []), *(["at chance"] if score.at_chance else [])]
    marks += [remark for remark in (score.note or "").split("; ") if remark and remark not in marks]
    if bare:
        intervals = ' <span class="interval">no interval</span>'
    else:
        intervals = (
            f' <span class="interval two-way">{_bounds(score.two_way)}</span>'
            f' <span class="interval bootstrap">{_bounds(score.bootstrap)}</span>'
        )
    long = "".join(notes.mark(f"{mark[:1].upper()}{mark[1:]}.") for mark in marks if len(mark) > LONGEST_MARK)
    short = "".join(f' <span class="mark">{_foreign(mark)}</span>' for mark in marks if len(mark) <= LONGEST_MARK)
    return long + intervals + short


def _bounds(bounds: Bounds | None) -> str:
    if bounds is None:
        return "no interval"
    if bounds.low == bounds.high:
        return "no variance"
    return f"[{percent(max(bounds.low, 0.0))}, {percent(min(bounds.high, 1.0))}]"


def _rank(score: GroupScore, ranked: int, place: str) -> str:
    if score.rank is None:
        return f'<td class="number"{place}>\u2013<span class="quiet"> not tested</span></td>'
    shown = f'{score.rank} <span class="letters">{_text(score.letters)}</span>'
    if score.ranked_accuracy is not None and percent(score.ranked_accuracy) != percent(score.accuracy):
        shown += f' <span class="interval">{percent(score.ranked_accuracy)} on {ranked}</span>'
    return _number(score.rank, shown, place)


def _languages(score: GroupScore, place: str, notes: _Footnotes) -> str:
    if not score.missing:
        return _number(score.languages, str(score.languages), place)
    named = ", ".join(score.missing[:LISTED])
    rest = f" and {len(score.missing) - LISTED} more" if len(score.missing) > LISTED else ""
    mark = notes.mark(f"Without {_plural(len(score.missing), 'language')} of the group: {named}{rest}.")
    total = score.languages + len(score.missing)
    return _number(score.languages, f'<span class="mark">{score.languages} of {total}</span>{mark}', place)
