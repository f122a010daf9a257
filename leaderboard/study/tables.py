"""The tables of a study's report, as Markdown."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from tabulate import tabulate

from xlt_bench.leaderboard.board.model import RowScore
from xlt_bench.leaderboard.compare.comparison import compare_entries
from xlt_bench.leaderboard.compare.model import GroupDifference
from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.render.markup import markdown_text
from xlt_bench.leaderboard.render.words import NOTHING, marks, p_value, percent, span
from xlt_bench.leaderboard.study.lines import Line, Results
from xlt_bench.records.record import Record
from xlt_bench.stats import holm

_MIB = 2**20
_PAPERS = ("paper", "released")
"""Presets of the paper."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; every text is shown literally."""
    shown = [[markdown_text(text) for text in row] for row in rows]
    return str(tabulate(shown, [markdown_text(text) for text in header], tablefmt="pipe", disable_numparse=True))


def score_text(score: RowScore | None) -> str:
    """`58.9 (54.2-63.6)` with the board's marks."""
    if score is None:
        return NOTHING
    return f"{percent(score.value)} ({span(score.two_way, score)}){marks(score)}"


def groups_table(results: Results) -> str:
    """As the paper lays out Tables 1 and 3: target groups by sources, a column a method; each part by itself."""
    parts = []
    for part in dict.fromkeys(line.part for line in results.lines):
        own = [line for line in results.lines if line.part == part]
        parts += [f"### {markdown_text(part)}"] if part else []
        parts += [_groups_table(results, own, part), _steps(results, own)]
    return "\n\n".join(text for text in parts if text)


def _groups_table(results: Results, lines: Sequence[Line], part: str) -> str:
    rows = []
    if _one_source_each(results, part):
        columns = list(dict.fromkeys(map(with_sources, lines)))
        for group, codes in results.groups.items():
            own = {with_sources(line): line for line in lines}
            rows.append([_named(group, codes), *_cells(results, group, columns, own)])
        return table(["Target group", *columns], rows)
    columns = list(dict.fromkeys(line.label for line in lines))
    for group, codes in results.groups.items():
        for source in dict.fromkeys(line.sources for line in lines):
            own = {line.label: line for line in lines if line.sources == source and group in line.row.scores}
            if own:
                rows.append([_named(group, codes), source, *_cells(results, group, columns, own)])
    return table(["Target group", "Sources", *columns], rows)


def _steps(results: Results, lines: Sequence[Line]) -> str:
    """How many steps a budget of arithmetic gave, where one did."""
    told: dict[str, list[str]] = {}
    for line in lines:
        if results.study.grids[line.planned.grid].compute_of and line.planned.experiment is not None:
            steps = line.planned.experiment.setup.recipe.source.steps
            told.setdefault(line.label, []).append(f"{steps} from {line.sources}")
    listed = "; ".join(f"{label} {', '.join(own)}" for label, own in told.items())
    return markdown_text(f"Steps: {listed}") if told else ""


def curve_tables(results: Results) -> str:
    """A table a target group: a line for each number of examples or sources, a column a method."""
    columns = list(dict.fromkeys(column_of(line, results) for line in results.lines))
    parts = []
    for group, codes in results.groups.items():
        rows = []
        for x in axis(results):
            own = {column_of(line, results): line for line in results.lines if x == place(line, results)}
            rows.append([axis_text(x), *_cells(results, group, columns, own)])
        parts.append(f"### {markdown_text(_named(group, codes))}")
        parts.append(table([AXES[results.study.report.over or "shots"], *columns], rows))
    return "\n\n".join(parts)


def cost_table(results: Results) -> str:
    """Accuracy against trained parameters, seconds and memory, and in which of them no other line does better."""
    rows = []
    for line in costed(results):
        seconds, predicting, memory = costs(line)
        best = [score_text(line.row.scores.get(group)) for group in results.groups]
        efficient = [cost for cost in COSTS if is_efficient(line, results, cost)]
        rows.append([
            with_sources(line),
            *best,
            f"{line.row.trainable_parameters or 0:,}",
            f"{seconds:.1f}",
            f"{predicting:.1f}",
            f"{memory / _MIB:,.0f}",
            ", ".join(efficient) or NOTHING,
        ])  # fmt: skip
    named = [_named(group, codes) for group, codes in results.groups.items()]
    header = ["Method", *named, "Trained parameters", "Fit, s", "Predict, s", "Memory, MiB", "Efficient in"]
    return table(header, rows)


def costed(results: Results) -> list[Line]:
    """The lines with a run that is complete."""
    return [line for line in results.lines if any(record.complete for record in line.entry.records)]


def is_efficient(line: Line, results: Results, cost: str) -> bool:
    """Whether no other line is at least as accurate for as little of this cost, and better in one (`cost_group`)."""
    group = cost_group(results)
    own = line.row.scores.get(group)
    if own is None:
        return False
    standing = (own.value, -cost_of(line, cost))
    others = [
        (score.value, -cost_of(other, cost))
        for other in costed(results)
        if (score := other.row.scores.get(group)) is not None
    ]
    return not any(other != standing and min(a >= b for a, b in zip(other, standing, strict=True)) for other in others)


def cost_group(results: Results) -> str:
    """The target group that a cost report weighs."""
    return max(results.groups, key=lambda group: sum(group in line.row.scores for line in results.lines))


def costs(line: Line) -> tuple[float, float, int]:
    """Medians over runs: seconds of a fit, seconds of predicting all targets, most memory in bytes."""
    runs = [record for record in line.entry.records if record.complete]
    fit, predict = (
        statistics.median(record.timing.get(name, 0.0) for record in runs)
        for name in ("fit_seconds", "predict_seconds")
    )
    return fit, predict, round(statistics.median(record.peak_memory_bytes or 0 for record in runs))


def cost_of(line: Line, cost: str) -> float:
    """One of COSTS."""
    fit, predict, memory = costs(line)
    if cost == "parameters":
        return float(line.row.trainable_parameters or 0)
    return fit + predict if cost == "seconds" else memory / _MIB


def pairs_table(results: Results) -> str:
    """The differences that the study asks for, with tests; p corrected by Holm over those of a target group."""
    found = list(_differences(results))
    if not found:
        return ""
    rows = []
    for (a, b, one), p in zip(found, _adjusted([one for *_, one in found]), strict=True):
        told = NOTHING if one.bounds is None else f"{100 * one.bounds.low:+.1f} to {100 * one.bounds.high:+.1f}"
        own, other = (_sources_text(line, results) for line in (a, b))
        sources = own if own == other else f"{own}; {other}"
        shots = "all" if a.shots is None else str(a.shots)
        name = f"{a.label} - {b.label}" + (f" ({a.part.lower()})" if a.part else "")
        where = [sources, shots] if _has_shots(results) else [sources]
        tested = [f"{100 * one.difference:+.1f}", told, NOTHING if math.isnan(p) else p_value(p), _verdict(one, p)]
        rows.append([name, *where, one.group, *tested])
    header = ["Difference", "Sources", *(["Examples"] if _has_shots(results) else []), "Target group", "Points"]
    return table([*header, "95% interval", "p (Holm)", "Verdict"], rows)


def pairs_of(results: Results) -> Iterator[tuple[Line, Line]]:
    """Lines to compare: same examples, same sources where both have such lines; `method:sources` names one line."""
    for one, other in results.study.report.pairs:
        for a in _named_lines(one, results):
            alike = [b for b in _named_lines(other, results) if b is not a and _place(b) == _place(a)]
            same = [b for b in alike if b.sources == a.sources]
            own = [b for b in same if b.planned.grid == a.planned.grid]
            yield from ((a, b) for b in own or same or alike if _has_common(a, b))


def _sources_text(line: Line, results: Results) -> str:
    """The sources as the study names them; on a curve over their number, that number."""
    if results.study.report.over != "sources":
        return line.sources
    count = len(line.cells[0].sources)
    return f"{count} language{'' if count == 1 else 's'}"


def _has_common(a: Line, b: Line) -> bool:
    """Whether they have a language in common: runs may be missing, or the targets others."""
    return bool(set(a.entry.by_language()) & set(b.entry.by_language()))


def languages_text(results: Results) -> str:
    """For each pair, in how many languages which is ahead, and where most."""
    parts = []
    for a, b in pairs_of(results):
        report = compare_entries(a.entry, b.entry, {})
        ahead, behind = report.wins()
        sure, unsure = report.wins(0.05)
        most = [f"{one.code} {100 * one.difference:+.1f}" for one in report.languages[:5]]
        least = [f"{one.code} {100 * one.difference:+.1f}" for one in reversed(report.languages[-5:])]
        parts.append(
            f"- {markdown_text(f'{a.label} against {b.label}')}: ahead in {ahead} languages and behind in {behind} of "
            f"{len(report.languages)}; singly significant (Benjamini-Hochberg, q 5%): {sure} and {unsure}. "
            f"Most ahead: {', '.join(most)}; most behind: {', '.join(least)}."
        )
    return "\n".join(parts)


def axis(results: Results) -> list[float]:
    """The places on a curve's axis, in order; all labelled examples come last."""
    return sorted({place(line, results) for line in results.lines})


def column_of(line: Line, results: Results) -> str:
    """The name of a line's curve."""
    return line.label if results.study.report.over == "sources" else with_sources(line)


def place(line: Line, results: Results) -> float:
    """Where a line stands: its labelled target examples (all: infinite), or its number of source languages."""
    if results.study.report.over == "sources":
        return float(len(line.cells[0].sources))
    return float("inf") if line.shots is None else float(line.shots)


def axis_text(x: float) -> str:
    """As a table has it."""
    return "all" if x == float("inf") else f"{x:.0f}"


def with_sources(line: Line) -> str:
    """`xpe (joshi5)`."""
    return f"{line.label} ({'no sources' if line.sources == 'none' else line.sources})"


AXES: Mapping[str, str] = {"shots": "Labelled target examples", "sources": "Source languages"}
COSTS: Mapping[str, str] = {
    "parameters": "trained parameters",
    "seconds": "seconds of a run",
    "memory": "memory in MiB",
}
"""What a cost report weighs, and how an axis says it."""


def _differences(results: Results) -> Iterator[tuple[Line, Line, GroupDifference]]:
    for a, b in pairs_of(results):
        report = compare_entries(a.entry, b.entry, results.groups)
        for one in report.groups:
            if one.group in results.groups:
                yield a, b, one


def _adjusted(found: Sequence[GroupDifference]) -> list[float]:
    """p values after Holm within each target group; NaN without a test."""
    adjusted = [math.nan] * len(found)
    for group in {one.group for one in found}:
        places = [at for at, one in enumerate(found) if one.group == group]
        values = holm([math.nan if (p := found[at].p) is None else p for at in places])
        for at, value in zip(places, values, strict=True):
            adjusted[at] = float(value)
    return adjusted


def _verdict(one: GroupDifference, p: float) -> str:
    if math.isnan(p):
        return one.note or "no test"
    return ("higher" if one.difference > 0 else "lower") if p < 0.05 else "not told apart"


def _named_lines(name: str, results: Results) -> list[Line]:
    return [line for line in results.lines if name in (line.method, f"{line.method}:{line.sources}")]


def _place(line: Line) -> tuple[object, ...]:
    return line.part, line.shots, line.cells[0].examples


def _has_shots(results: Results) -> bool:
    return len({line.shots for line in results.lines}) > 1


def _one_source_each(results: Results, part: str) -> bool:
    """Whether no method of a part has several sources, so that its column can tell them."""
    pairs = {(label, sources) for own, label, sources in results.layout if own == part}
    return len(pairs) == len({label for label, _ in pairs})


def _named(group: str, codes: Sequence[str]) -> str:
    return f"{group} ({len(codes)})"


def _cells(results: Results, group: str, columns: Sequence[str], own: Mapping[str, Line]) -> list[str]:
    return [_cell(results, group, own[column]) if column in own else NOTHING for column in columns]


def _cell(results: Results, group: str, line: Line) -> str:
    score = line.row.scores.get(group)
    text = score_text(score)
    value = published_value(results, group, line)
    if value is None or score is None:
        return text
    inside = score.two_way is not None and score.two_way.low <= value <= score.two_way.high
    return f"{text}; paper {percent(value)}, {'inside' if inside else 'outside'}"


def published_value(results: Results, group: str, line: Line) -> float | None:
    """The paper's mean for the same task, backbone, method, sources, protocol and languages, in [0, 1]."""
    cell = line.cells[0]
    if (cell.task, cell.backbone) != (published.TASK, published.BACKBONE) or not _as_published(line):
        return None
    system = (results.study.report.published or {}).get(line.method, line.method)
    for record, _ in published.published().values():
        if record.evidence == "aggregate" and _is_counterpart(record, system, line):
            for name, value in record.group_accuracy.items():
                if set(record.groups[name]) == set(results.groups[group]):
                    return value
    return None


def _as_published(line: Line) -> bool:
    """Whether a line is the method as the paper ran it: nothing of it set otherwise, no examples left out."""
    cell = line.cells[0]
    assert line.planned.experiment is not None, "it has a line"
    setup = line.planned.experiment.setup
    usual = cell.preset in (*_PAPERS, None) and setup.label == line.method
    return usual and cell.shots is None and cell.examples is None and cell.init_from is None


def _is_counterpart(record: Record, system: str, line: Line) -> bool:
    cell, own = record.cell, line.cells[0]
    return (cell.method, cell.protocol, set(cell.sources)) == (system, own.protocol, set(own.sources))
