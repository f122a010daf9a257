"""The figure of a study's report, through matplotlib: curves with intervals, curves over languages, or costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlt_bench.io.texts import shortened
from xlt_bench.leaderboard.board.model import RowScore
from xlt_bench.leaderboard.render.figures import (
    COLOURS,
    DASHES,
    GREY,
    LINES,
    MARKERS,
    languages_figure,
    save_figure,
    styled,
)
from xlt_bench.leaderboard.study.axes import AXES, axis, axis_position, axis_text, column_of, with_sources
from xlt_bench.leaderboard.study.costs import COSTS, cost_group, cost_of, costed, is_efficient
from xlt_bench.leaderboard.study.lines import Results
from xlt_bench.studies.definition import Form

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_NAME = 24
"""Characters of a group's name that fit above a panel."""


def save_study_figure(results: Results, stem: Path) -> list[Path]:
    """Write the figure of a report as `stem`.png; none for the forms that have none.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    draw = _DRAWN.get(results.study.report.form)
    if draw is None:
        return []
    with styled():
        return save_figure(draw(results), stem, ("png",))


def _curves(results: Results) -> Figure:
    """One panel a target group, a line a method; bars are 95% two-way intervals."""
    from matplotlib.figure import Figure

    columns = list(dict.fromkeys(column_of(line, results) for line in results.lines))
    positions = axis(results)
    figure = Figure(figsize=(2.9 * len(results.groups) + 0.5, 3.1), layout="constrained")
    panels = figure.subplots(1, len(results.groups), squeeze=False, sharey=True)
    for axes, (group, codes) in zip(panels.flat, results.groups.items(), strict=True):
        for number, column in enumerate(columns):
            points = {
                positions.index(axis_position(line, results)): line.row.scores[group]
                for line in results.lines
                if column_of(line, results) == column and group in line.row.scores
            }
            _curve(axes, points, number, (number - (len(columns) - 1) / 2) * 0.07)
        axes.set_xticks(range(len(positions)), [axis_text(position) for position in positions])
        axes.set_xlabel(AXES[results.study.report.over or "shots"].lower())
        name = shortened(group, _LONGEST_NAME)  # languages that stand for a group are joined by "+"
        axes.set_title(f"{name}: {len(codes)} language{'' if len(codes) == 1 else 's'}", parse_math=False)
    panels.flat[0].set_ylabel(f"{results.metric.title} in per cent")
    _legend(figure, columns)
    return figure


def _curve(axes: Axes, points: Mapping[int, RowScore], number: int, shift: float) -> None:
    """A line with its intervals, a little to the side of the others."""
    colour, xs = COLOURS[number % len(COLOURS)], sorted(points)
    axes.plot(
        [x + shift for x in xs],
        [100 * points[x].value for x in xs],
        color=colour,
        linestyle=DASHES[number % len(DASHES)],
        linewidth=1.1,
        marker=_marker(number),
        markersize=3.5,
    )
    for x in xs:
        bounds = points[x].two_way
        if bounds is not None:
            axes.plot([x + shift] * 2, [100 * bounds.low, 100 * bounds.high], color=colour, linewidth=0.7)


def _costs(results: Results) -> Figure:
    """One panel a cost, on a logarithmic axis; the stepped line joins what nothing beats."""
    from matplotlib.figure import Figure

    group = cost_group(results)
    lines = [line for line in costed(results) if group in line.row.scores]
    figure = Figure(figsize=(3.1 * len(COSTS), 3.3), layout="constrained")
    panels = figure.subplots(1, len(COSTS), squeeze=False, sharey=True)
    for axes, cost in zip(panels.flat, COSTS, strict=True):
        for number, line in enumerate(lines):
            _point(axes, cost_of(line, cost), line.row.scores[group], number)
        front = sorted((cost_of(line, cost), 100 * line.row.scores[group].value)
                       for line in lines if is_efficient(line, results, cost))  # fmt: skip
        axes.step([x for x, _ in front], [y for _, y in front], where="post", color=GREY, linewidth=0.7, zorder=0)
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlabel(COSTS[cost])
    panels.flat[0].set_ylabel(f"{results.metric.title} on {group}, per cent", parse_math=False)
    _legend(figure, [with_sources(line) for line in lines])
    return figure


def _point(axes: Axes, cost: float, score: RowScore, number: int) -> None:
    colour = COLOURS[number % len(COLOURS)]
    if score.two_way is not None:
        axes.plot([cost] * 2, [100 * score.two_way.low, 100 * score.two_way.high], color=colour, linewidth=0.7)
    axes.plot([cost], [100 * score.value], color=colour, marker=_marker(number),
              markersize=5, linestyle="none")  # fmt: skip


def _marker(number: int) -> str:
    """With the colour of the same number, another pair for each of 36 lines."""
    return MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]


def _legend(figure: Figure, names: Sequence[str]) -> None:
    """Drawn from marks of its own: a panel's lines are intervals too."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D(
            [],
            [],
            color=COLOURS[number % len(COLOURS)],
            linestyle=DASHES[number % len(DASHES)],
            marker=_marker(number),
            markersize=4,
        )
        for number in range(len(names))
    ]
    columns = max(1, min(4, int(figure.get_figwidth() / (0.075 * max(map(len, names)) + 0.5))))
    legend = figure.legend(marks, ["row"] * len(names), loc="outside upper left", ncols=columns)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def _by_language(results: Results) -> Figure | None:
    """Seen and unseen languages, sorted by the method that the study names."""
    first = results.study.report.order_by
    lines = sorted(results.lines, key=lambda line: line.method != first)
    return languages_figure(results.board, [line.row for line in lines if line.row.by_language][:LINES])


_DRAWN: Mapping[Form, Callable[[Results], Figure | None]] = {
    "curve": _curves,
    "languages": _by_language,
    "cost": _costs,
}
