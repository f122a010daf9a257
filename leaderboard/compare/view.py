"""A comparison of two rows on the terminal, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.leaderboard.compare.model import (
    POWER,
    ComparedRow,
    ComparisonReport,
    GroupDifference,
    LanguageDifference,
)
from xlt_bench.leaderboard.data.entries import NO_SOURCES
from xlt_bench.leaderboard.data.facts import LanguageFacts, language_facts
from xlt_bench.leaderboard.render.plain_data import plain
from xlt_bench.leaderboard.render.words import NOTHING, RANDOM, RANDOM_LANGUAGES, p_value, percent
from xlt_bench.stats import DetectableDifference

_RANDOM_LANGUAGES = (
    "Languages are taken as drawn at random, family by family, from languages like these; without it inference is for "
    "these languages alone."
)
EXTREMES = 5
"""How many gained and how many lost languages are listed."""
_NAMED = 12


class ReportView:
    """A report as rich prints it."""

    def __init__(self, report: ComparisonReport) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report = self._report
        yield Text(f"A: {_described(report.a)}\nB: {_described(report.b)}", style="bold")
        randomness = RANDOM_LANGUAGES if report.random_languages else RANDOM[report.method]
        yield Text(
            f"Task {clean(report.task)}; {report.metric_title} in per cent, A less B with {100 * report.level:g}% "
            f"interval ({report.method}: {randomness}{', seeds paired' if report.paired_seeds else ''})"
        )
        yield _group_table(report)
        yield from (Text(line) for line in sentences(report))
        if report.languages:
            yield Text()
            codes = [language.code for language in report.languages]
            yield _language_table(report, language_facts(report.task, None, codes))


def as_data(report: ComparisonReport) -> dict[str, Any]:
    """Everything, values in [0, 1]."""
    ahead, behind = report.wins()
    significant = report.wins(report.alpha)
    wins = {"a": ahead, "b": behind, "a_significant": significant[0], "b_significant": significant[1]}
    return {**plain(report), "wins": wins}


def sentences(report: ComparisonReport) -> Iterator[str]:
    """What a reader takes home, and what limits it."""
    yield from verdicts(report)
    if report.languages:
        (ahead, behind), significant = report.wins(), report.wins(report.alpha)
        equal = len(report.languages) - ahead - behind
        tested = (
            f"with q <= {report.alpha:g} (Benjamini-Hochberg over languages) A in {significant[0]}, B in "
            f"{significant[1]}"
            if any(language.q is not None for language in report.languages)
            else "single languages are not tested"
        )
        yield f"Of {len(report.languages)} languages A is ahead in {ahead}, B in {behind}, equal in {equal}; {tested}."
    for title, codes in _remainders(report):
        more = f" and {len(codes) - _NAMED} more" if len(codes) > _NAMED else ""
        yield f"{title}: {', '.join(codes[:_NAMED])}{more}."
    yield from (clean(caveat) for caveat in report.caveats)
    for row, name in ((report.a, "A"), (report.b, "B")):
        if row.failed_seeds:
            yield f"{name}: {len(row.failed_seeds)} failed runs (seed {', '.join(map(str, row.failed_seeds))})."


def _described(row: ComparedRow) -> str:
    parts = [clean(row.label)]
    if row.sources != NO_SOURCES:
        parts.append(f"sources {clean(row.sources)}")
    if len(row.seeds) > 1 or (row.seeds and not row.stored):
        parts.append(f"{len(row.seeds)} seed{'' if len(row.seeds) == 1 else 's'}")
    parts.append(f"evidence {row.evidence.replace('_', ' ')}")
    return f"{', '.join(parts)} [{row.key[:8]}]"


def _group_table(report: ComparisonReport) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("group", overflow="fold")
    for name in ("langs", "A", "B", "A - B"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("interval", "p", "least"):
        table.add_column(name, no_wrap=True)
    for group in report.groups:
        table.add_row(*map(Text, _group_cells(group)))
    return table


def _group_cells(group: GroupDifference) -> list[str]:
    bounds = f"{100 * group.bounds.low:+.1f} to {100 * group.bounds.high:+.1f}" if group.bounds else NOTHING
    return [
        clean(group.group),
        str(len(group.languages)),
        percent(group.value_a),
        percent(group.value_b),
        f"{100 * group.difference:+.1f}",
        bounds,
        NOTHING if group.adjusted_p is None else p_value(group.adjusted_p),
        NOTHING if group.detectable is None else _detectable(group.detectable),
    ]


def _detectable(difference: DetectableDifference) -> str:
    """The estimate and its range, such as `4.2 (3.1-6.0)`."""
    ends = (difference.estimate, difference.low, difference.high)
    estimate, low, high = (percent(end) if end <= 1 else ">100" for end in ends)
    return f"{estimate} ({low}-{high})"


def verdicts(report: ComparisonReport) -> Iterator[str]:
    """What was found, the groups of one verdict in one sentence."""
    for verdict, sentence in (
        ("better", "A is better"),
        ("worse", "B is better"),
        ("tie", "No difference was shown, which is not to say that there is none"),
        (None, "Not tested"),
    ):
        names = [clean(group.group) for group in report.groups if group.verdict == verdict]
        if names:
            yield f"{sentence}: {', '.join(names)}."
    for note, names in _notes(report).items():
        where = "" if len(names) == len(report.groups) else f" ({', '.join(names)})"
        yield f"{note[:1].upper()}{note[1:]}{where}."
    if any(group.p is not None for group in report.groups):
        yield _correction(report)
    if any(group.detectable is not None for group in report.groups):
        yield (
            f"least: the smallest true difference that these runs would have shown with {100 * POWER:.0f}% power, and "
            "in parentheses how uncertain that is itself (90%), the variances being estimates: plan with the upper end."
        )
    if report.random_languages:
        yield _RANDOM_LANGUAGES


def _correction(report: ComparisonReport) -> str:
    count = sum(group.p is not None for group in report.groups)
    if count == 1:
        return "p: one test, not corrected."
    if report.family == "table":
        return f"p: corrected by Holm over the {count} groups tested here; each interval stands for itself."
    primary = f"{clean(report.primary)} is the primary group; " if report.primary else ""
    return f"p: of each group by itself, not corrected; {primary}tests on other groups are exploratory."


def _notes(report: ComparisonReport) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    for group in report.groups:
        if group.note:
            notes.setdefault(group.note, []).append(clean(group.group))
    return notes


def _remainders(report: ComparisonReport) -> Iterator[tuple[str, Sequence[str]]]:
    for title, codes in (
        ("Only A has", report.only_a),
        ("Only B has", report.only_b),
        ("Left out, because A or B was fitted on them", report.left_out),
    ):
        if codes:
            yield title, codes


def _language_table(report: ComparisonReport, languages: Mapping[str, LanguageFacts]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("language", overflow="fold")
    for name in ("A", "B", "A - B"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("q", no_wrap=True)
    gained = [language for language in report.languages if language.difference > 0][:EXTREMES]
    lost = [language for language in report.languages if language.difference < 0][-EXTREMES:]
    for title, rows in (("most gained by A", gained), ("most lost by A", lost[::-1])):
        if rows:
            table.add_row(Text(title, style="bold"))
            for language in rows:
                table.add_row(*map(Text, _language_cells(language, languages)))
    return table


def _language_cells(language: LanguageDifference, languages: Mapping[str, LanguageFacts]) -> list[str]:
    facts = languages.get(language.code)
    name = f"  {clean(language.code)}" + (f" {clean(facts.name)}" if facts else "")
    q = NOTHING if language.q is None else p_value(language.q)
    values = (percent(language.value_a), percent(language.value_b), f"{100 * language.difference:+.1f}")
    return [name, *values, q]
