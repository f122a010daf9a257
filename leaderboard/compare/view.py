"""A comparison of two rows on the terminal, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.compare.report import POWER, GroupDifference, LanguageDifference, Report, Side
from xlt_bench.leaderboard.data.entries import NO_SOURCES
from xlt_bench.leaderboard.data.facts import LanguageFacts, language_facts
from xlt_bench.leaderboard.render.plain_data import plain
from xlt_bench.leaderboard.render.words import NOTHING, RANDOM, p_value, percent

EXTREMES = 5
"""How many gained and how many lost languages are listed."""
_NAMED = 12


class ReportView:
    """A report as rich prints it."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report = self._report
        yield Text(f"A: {_described(report.a)}\nB: {_described(report.b)}", style="bold")
        yield Text(
            f"Task {clean(report.task)}; accuracy in per cent, A less B with {100 * report.level:g}% interval "
            f"({report.method}: {RANDOM[report.method]}{', seeds paired' if report.paired_seeds else ''})"
        )
        yield _group_table(report)
        yield from (Text(line) for line in sentences(report))
        if report.languages:
            yield Text()
            codes = [one.code for one in report.languages]
            yield _language_table(report, language_facts(report.task, None, codes))


def as_data(report: Report) -> dict[str, Any]:
    """Everything, accuracies in [0, 1]."""
    ahead, behind = report.wins()
    sure = report.wins(_alpha(report))
    told = {"a": ahead, "b": behind, "a_significant": sure[0], "b_significant": sure[1]}
    return {**plain(report), "wins": told}


def sentences(report: Report) -> Iterator[str]:
    """What a reader takes home, and what limits it."""
    yield from _verdicts(report)
    if report.languages:
        (ahead, behind), sure = report.wins(), report.wins(_alpha(report))
        level = len(report.languages) - ahead - behind
        tested = (
            f"with q <= {_alpha(report):g} (Benjamini-Hochberg over languages) A in {sure[0]}, B in {sure[1]}"
            if any(one.q is not None for one in report.languages)
            else "single languages are not tested"
        )
        yield f"Of {len(report.languages)} languages A is ahead in {ahead}, B in {behind}, equal in {level}; {tested}."
    for told, codes in _remainders(report):
        yield f"{told}: {', '.join(codes[:_NAMED])}{f' and {len(codes) - _NAMED} more' if len(codes) > _NAMED else ''}."
    yield from (clean(caveat) for caveat in report.caveats)
    for side, name in ((report.a, "A"), (report.b, "B")):
        if side.failed_seeds:
            yield f"{name}: {len(side.failed_seeds)} failed runs (seed {', '.join(map(str, side.failed_seeds))})."


def _described(side: Side) -> str:
    parts = [clean(side.label)]
    if side.sources != NO_SOURCES:
        parts.append(f"sources {clean(side.sources)}")
    if side.seeds:
        parts.append(f"{len(side.seeds)} seed{'' if len(side.seeds) == 1 else 's'}")
    parts.append(f"evidence {side.evidence.replace('_', ' ')}")
    return f"{', '.join(parts)} [{side.key[:8]}]"


def _group_table(report: Report) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("group", overflow="fold")
    for name in ("langs", "A", "B", "A - B"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("interval", "p", "least"):
        table.add_column(name, no_wrap=True)
    for one in report.groups:
        table.add_row(*map(Text, _group_cells(one)))
    return table


def _group_cells(one: GroupDifference) -> list[str]:
    bounds = f"{100 * one.bounds.low:+.1f} to {100 * one.bounds.high:+.1f}" if one.bounds else NOTHING
    return [
        clean(one.group),
        str(len(one.languages)),
        percent(one.accuracy_a),
        percent(one.accuracy_b),
        f"{100 * one.difference:+.1f}",
        bounds,
        NOTHING if one.adjusted_p is None else p_value(one.adjusted_p),
        NOTHING if one.detectable is None else percent(one.detectable) if one.detectable <= 1 else ">100",
    ]


def _verdicts(report: Report) -> Iterator[str]:
    """What was found, the groups of one verdict in one sentence."""
    for verdict, told in (
        ("better", "A is better"),
        ("worse", "B is better"),
        ("tie", "No difference was shown, which is not to say that there is none"),
        (None, "Not tested"),
    ):
        names = [clean(one.group) for one in report.groups if one.verdict == verdict]
        if names:
            yield f"{told}: {', '.join(names)}."
    for note, names in _notes(report).items():
        where = "" if len(names) == len(report.groups) else f" ({', '.join(names)})"
        yield f"{note[:1].upper()}{note[1:]}{where}."
    if any(one.p is not None for one in report.groups):
        yield "p: corrected by Holm over the groups of this table; each interval stands for itself."
    if any(one.detectable is not None for one in report.groups):
        yield f"least: the smallest true difference that these runs would have shown with {100 * POWER:.0f}% power."


def _notes(report: Report) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in report.groups:
        if one.note:
            found.setdefault(one.note, []).append(clean(one.group))
    return found


def _remainders(report: Report) -> Iterator[tuple[str, Sequence[str]]]:
    for told, codes in (
        ("Only A has", report.only_a),
        ("Only B has", report.only_b),
        ("Left out, because A or B was fitted on them", report.left_out),
    ):
        if codes:
            yield told, codes


def _language_table(report: Report, languages: Mapping[str, LanguageFacts]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("language", overflow="fold")
    for name in ("A", "B", "A - B"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("q", no_wrap=True)
    gained = [one for one in report.languages if one.difference > 0][:EXTREMES]
    lost = [one for one in report.languages if one.difference < 0][-EXTREMES:]
    for title, rows in (("most gained by A", gained), ("most lost by A", lost[::-1])):
        if rows:
            table.add_row(Text(title, style="bold"))
            for one in rows:
                table.add_row(*map(Text, _language_cells(one, languages)))
    return table


def _language_cells(one: LanguageDifference, languages: Mapping[str, LanguageFacts]) -> list[str]:
    facts = languages.get(one.code)
    name = f"  {clean(one.code)}" + (f" {clean(facts.name)}" if facts else "")
    q = NOTHING if one.q is None else p_value(one.q)
    return [name, percent(one.accuracy_a), percent(one.accuracy_b), f"{100 * one.difference:+.1f}", q]


def _alpha(report: Report) -> float:
    return round(1 - report.level, 12)
