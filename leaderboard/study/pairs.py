"""The differences that a study asks for, with intervals and tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from xlt_bench.leaderboard.compare.comparison import compare_entries
from xlt_bench.leaderboard.compare.model import GroupDifference
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.leaderboard.render.markup import markdown_text
from xlt_bench.leaderboard.render.words import NOTHING, p_value
from xlt_bench.leaderboard.study.lines import Results, StudyLine
from xlt_bench.leaderboard.study.tables import table
from xlt_bench.stats import holm

_ALPHA = 0.05


def pairs_table(results: Results) -> str:
    """The differences that the study asks for, with tests; p corrected by Holm over those of a target group.

    Tests on the study's primary group are confirmatory; those on others are marked as exploratory.
    """
    differences = list(_differences(results))
    if not differences:
        return ""
    has_shots = len({line.shots for line in results.lines}) > 1
    rows = []
    for (a, b, difference), p in zip(
        differences, _adjusted([difference for *_, difference in differences]), strict=True
    ):
        bounds = difference.bounds
        interval = NOTHING if bounds is None else f"{100 * bounds.low:+.1f} to {100 * bounds.high:+.1f}"
        sources_a, sources_b = (_sources_text(line, results) for line in (a, b))
        sources = sources_a if sources_a == sources_b else f"{sources_a}; {sources_b}"
        shots = ["all" if a.shots is None else str(a.shots)] if has_shots else []
        name = f"{_with_resources(a, b)} - {_with_resources(b, a)}" + (f" ({a.part.lower()})" if a.part else "")
        group = difference.group + ("" if difference.group == results.primary else " (exploratory)")
        points, p_text = f"{100 * difference.difference:+.1f}", NOTHING if math.isnan(p) else p_value(p)
        rows.append([name, sources, *shots, group, points, interval, p_text, _verdict(difference, p)])
    header = ["Difference", "Sources", *(["Examples"] if has_shots else []), "Target group", "Points"]
    return table([*header, "95% interval", "p (Holm)", "Verdict"], rows)


def pairs_of(results: Results) -> Iterator[tuple[StudyLine, StudyLine]]:
    """Lines to compare: same examples, same sources where both have such lines; `method:sources` names one line."""
    for name_a, name_b in results.study.report.pairs:
        for a in _named_lines(name_a, results):
            candidates = [b for b in _named_lines(name_b, results) if b is not a and _data_of(b) == _data_of(a)]
            same_sources = [b for b in candidates if b.sources == a.sources]
            same_grid = [b for b in same_sources if b.planned.grid == a.planned.grid]
            yield from ((a, b) for b in same_grid or same_sources or candidates if _has_common(a, b))


def languages_text(results: Results) -> str:
    """For each pair, in how many languages which is ahead, and where most."""
    parts = []
    for a, b in pairs_of(results):
        report = compare_entries(a.entry, b.entry, {}, ComparisonOptions(metric=results.metric))
        (ahead, behind), significant = report.wins(), report.wins(_ALPHA)
        most = [f"{language.code} {100 * language.difference:+.1f}" for language in report.languages[:5]]
        least = [f"{language.code} {100 * language.difference:+.1f}" for language in reversed(report.languages[-5:])]
        parts.append(
            f"- {markdown_text(f'{a.label} against {b.label}')}: ahead in {ahead} languages and behind in {behind} of "
            f"{len(report.languages)}; singly significant (Benjamini-Hochberg, q 5%): {significant[0]} and "
            f"{significant[1]}. Most ahead: {', '.join(most)}; most behind: {', '.join(least)}."
        )
    return "\n".join(parts)


def _with_resources(line: StudyLine, rival: StudyLine) -> str:
    """The label, with what the method was handed beside labelled sources where its rival was handed something else."""
    resources = line.row.resources
    differ = resources != rival.row.resources
    return f"{line.label} with {' and '.join(resources)}" if resources and differ else line.label


def _sources_text(line: StudyLine, results: Results) -> str:
    """The sources as the study names them; on a curve over their number, that number."""
    if results.study.report.over != "sources":
        return line.sources
    count = len(line.cells[0].sources)
    return f"{count} language{'' if count == 1 else 's'}"


def _has_common(a: StudyLine, b: StudyLine) -> bool:
    """Whether they have a language in common: runs may be missing, or the targets others."""
    return bool(set(a.entry.languages()) & set(b.entry.languages()))


def _differences(results: Results) -> Iterator[tuple[StudyLine, StudyLine, GroupDifference]]:
    for a, b in pairs_of(results):
        report = compare_entries(a.entry, b.entry, results.groups, ComparisonOptions(metric=results.metric))
        yield from ((a, b, group) for group in report.groups if group.group in results.groups)


def _adjusted(differences: Sequence[GroupDifference]) -> list[float]:
    """p values after Holm within each target group; NaN without a test."""
    adjusted = [math.nan] * len(differences)
    for group in {difference.group for difference in differences}:
        positions = [position for position, difference in enumerate(differences) if difference.group == group]
        values = holm([math.nan if (p := differences[position].p) is None else p for position in positions])
        for position, value in zip(positions, values, strict=True):
            adjusted[position] = float(value)
    return adjusted


def _verdict(difference: GroupDifference, p: float) -> str:
    if math.isnan(p):
        return difference.note or "no test"
    return ("higher" if difference.difference > 0 else "lower") if p <= _ALPHA else "not told apart"


def _named_lines(name: str, results: Results) -> list[StudyLine]:
    return [line for line in results.lines if name in (line.method, f"{line.method}:{line.sources}")]


def _data_of(line: StudyLine) -> tuple[object, ...]:
    return line.part, line.shots, line.cells[0].examples
