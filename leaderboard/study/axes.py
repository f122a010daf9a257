"""Where a line of a study stands on the axis of a curve, and what columns and lines are called."""

from __future__ import annotations

from collections.abc import Mapping

from xlt_bench.leaderboard.study.lines import Results, StudyLine

AXES: Mapping[str, str] = {"shots": "Labelled target examples", "sources": "Source languages"}


def axis(results: Results) -> list[float]:
    """The positions on a curve's axis, in order; all labelled examples come last."""
    return sorted({axis_position(line, results) for line in results.lines})


def axis_position(line: StudyLine, results: Results) -> float:
    """A line's labelled target examples (all: infinite), or its number of source languages."""
    if results.study.report.over == "sources":
        return float(len(line.cells[0].sources))
    return float("inf") if line.shots is None else float(line.shots)


def axis_text(position: float) -> str:
    """As a table has it."""
    return "all" if position == float("inf") else f"{position:.0f}"


def column_of(line: StudyLine, results: Results) -> str:
    """The name of a line's curve."""
    return line.label if results.study.report.over == "sources" else with_sources(line)


def with_sources(line: StudyLine) -> str:
    """`xpe (joshi5)`."""
    return f"{line.label} ({'no sources' if line.sources == 'none' else line.sources})"
