"""The tables of a study's report, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tabulate import tabulate

from xlt_bench.leaderboard.board.model import RowScore
from xlt_bench.leaderboard.render.markup import markdown_text
from xlt_bench.leaderboard.render.words import NOTHING, marks, percent, span
from xlt_bench.leaderboard.study.axes import AXES, axis, axis_position, axis_text, column_of, with_sources
from xlt_bench.leaderboard.study.lines import Results, StudyLine
from xlt_bench.leaderboard.study.published_values import published_value


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; every text is shown literally."""
    escaped = [[markdown_text(text) for text in row] for row in rows]
    return str(tabulate(escaped, [markdown_text(text) for text in header], tablefmt="pipe", disable_numparse=True))


def score_text(score: RowScore | None) -> str:
    """`58.9 (54.2-63.6)` with the board's marks."""
    if score is None:
        return NOTHING
    return f"{percent(score.value)} ({span(score.two_way, score)}){marks(score)}"


def group_title(group: str, codes: Sequence[str]) -> str:
    """`unseen (39)`."""
    return f"{group} ({len(codes)})"


def groups_table(results: Results) -> str:
    """As the paper lays out Tables 1 and 3: target groups by sources, a column a method; each part by itself."""
    parts = []
    for part in dict.fromkeys(line.part for line in results.lines):
        lines = [line for line in results.lines if line.part == part]
        parts += [f"### {markdown_text(part)}"] if part else []
        parts += [_groups_table(results, lines, part), _steps(results, lines)]
    return "\n\n".join(text for text in parts if text)


def curve_tables(results: Results) -> str:
    """A table a target group: a line for each number of examples or sources, a column a method."""
    columns = list(dict.fromkeys(column_of(line, results) for line in results.lines))
    parts = []
    for group, codes in results.groups.items():
        rows = []
        for position in axis(results):
            lines = [line for line in results.lines if axis_position(line, results) == position]
            by_column = {column_of(line, results): line for line in lines}
            rows.append([axis_text(position), *_cells(results, group, columns, by_column)])
        parts.append(f"### {markdown_text(group_title(group, codes))}")
        parts.append(table([AXES[results.study.report.over or "shots"], *columns], rows))
    return "\n\n".join(parts)


def _groups_table(results: Results, lines: Sequence[StudyLine], part: str) -> str:
    rows = []
    if _one_source_each(results, part):
        columns = list(dict.fromkeys(map(with_sources, lines)))
        by_column = {with_sources(line): line for line in lines}
        for group, codes in results.groups.items():
            rows.append([group_title(group, codes), *_cells(results, group, columns, by_column)])
        return table(["Target group", *columns], rows)
    columns = list(dict.fromkeys(line.label for line in lines))
    for group, codes in results.groups.items():
        for source in dict.fromkeys(line.sources for line in lines):
            scored = [line for line in lines if line.sources == source and group in line.row.scores]
            if scored:
                cells = _cells(results, group, columns, {line.label: line for line in scored})
                rows.append([group_title(group, codes), source, *cells])
    return table(["Target group", "Sources", *columns], rows)


def _steps(results: Results, lines: Sequence[StudyLine]) -> str:
    """How many steps a budget of arithmetic gave, where one did."""
    steps_of: dict[str, list[str]] = {}
    for line in lines:
        if results.study.grids[line.planned.grid].compute_of and line.planned.experiment is not None:
            steps = line.planned.experiment.setup.recipe.source.steps
            steps_of.setdefault(line.label, []).append(f"{steps} from {line.sources}")
    listed = "; ".join(f"{label} {', '.join(texts)}" for label, texts in steps_of.items())
    return markdown_text(f"Steps: {listed}") if steps_of else ""


def _one_source_each(results: Results, part: str) -> bool:
    """Whether no method of a part has several sources, so that its column can tell them."""
    pairs = {(label, sources) for part_of_line, label, sources in results.layout if part_of_line == part}
    return len(pairs) == len({label for label, _ in pairs})


def _cells(results: Results, group: str, columns: Sequence[str], by_column: Mapping[str, StudyLine]) -> list[str]:
    return [_cell(results, group, by_column[column]) if column in by_column else NOTHING for column in columns]


def _cell(results: Results, group: str, line: StudyLine) -> str:
    score = line.row.scores.get(group)
    text = score_text(score)
    value = published_value(results, group, line)
    if value is None or score is None:
        return text
    inside = score.two_way is not None and score.two_way.low <= value <= score.two_way.high
    return f"{text}; paper {percent(value)}, {'inside' if inside else 'outside'}"
