"""The page's two figures for a paper, through matplotlib: intervals by target group, and accuracy by language.

matplotlib is the optional extra `figures` and is imported only when figures are made. Equal boards give equal files:
no date and no random id is written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.errors import ConfigError
from xlt_bench.io.outputs import make_folder, write_output
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.render.words import letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
LINES = 6
"""How many methods the figure by language shows: the first ones of a section that have values by language."""

_METADATA: Mapping[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_STYLE = {
    "svg.hashsalt": "xlt-bench",
    "pdf.fonttype": 42,
    "font.size": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.0,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#d3d9e0",
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "savefig.dpi": 200,
}
COLOURS = ("#0067a3", "#b34700", "#00775a", "#a03a78", "#1b1f24", "#7a5f00")
DASHES: Sequence[Any] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)), (0, (3, 3)))
MARKERS = "os^Dxv"
GREY = "#545d68"
_LONGEST = 48
_PANELS = ((True, "Seen in pre-training"), (False, "Not seen in pre-training"), (None, "Not known whether seen"))


def save_figures(board: BoardContent, folder: Path, formats: Sequence[str] = ("png", "svg", "pdf")) -> list[Path]:
    """Write `intervals-*` and `languages-*` of each section; a section without such values has no such figure.

    Thick bars with ends are two-way intervals, thin ones below are of the bootstrap, hollow dots have no interval,
    small dots are single seeds, the dotted line is always answering the most frequent class; rows that share a letter
    are not told apart.

    Args:
        board: what to draw.
        folder: made if it does not exist.
        formats: of png, svg and pdf.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ConfigError: matplotlib is not installed, or a format is not known.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ConfigError(f"no figure format '{unknown[0]}'; there are: {', '.join(FORMATS)}")
    with styled():
        make_folder(folder, "--figures")
        return [
            path
            for number, section in enumerate(board.sections, 1)
            for kind, draw in _DRAWN.items()
            for path in save_figure(draw(board, section), folder / f"{kind}-{number}-{_slug(section.title)}", formats)
        ]


def figure_of(board: BoardContent, kind: str, number: int) -> Figure:
    """One figure of a board.

    Args:
        board: what to draw.
        kind: `intervals` or `languages`.
        number: of the section, from 1.

    Raises:
        ConfigError: matplotlib is not installed, no such kind or section, or nothing to draw.
    """
    if kind not in _DRAWN:
        raise ConfigError(f"no figure '{kind}'; there are: {', '.join(_DRAWN)}")
    if not 1 <= number <= len(board.sections):
        titles = "; ".join(f"{place} {section.title}" for place, section in enumerate(board.sections, 1))
        raise ConfigError(f"the board has no section {number}; there are: {titles}")
    section = board.sections[number - 1]
    with styled():
        figure = _DRAWN[kind](board, section)
    if figure is None:
        raise ConfigError(f"section '{section.title}' has no values for a figure of {kind}")
    return figure


@contextmanager
def styled() -> Iterator[None]:
    """The style of all figures; ConfigError where matplotlib is not installed."""
    try:
        from matplotlib import style
    except ModuleNotFoundError as missing:
        raise ConfigError("figures need matplotlib; install it with: pip install matplotlib") from missing
    with style.context(["default", _STYLE], after_reset=True):
        yield


def save_figure(figure: Figure | None, stem: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure once a format, its name the stem's; nothing if there is none."""
    if figure is None:
        return []
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, not once a format
    paths = [stem.with_name(f"{stem.name}.{name}") for name in formats]
    for path, name in zip(paths, formats, strict=True):
        content = io.BytesIO()
        figure.savefig(content, format=name, metadata=_METADATA[name])
        write_output(path, content.getvalue(), "--figures")
    return paths


def _slug(title: str) -> str:
    """A file name from any text."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-") or "section"


def _name(row: BoardRow) -> str:
    return _foreign(f"{row.label} ({row.learned_from})" if row.learned_from else row.label)


def _inches(rows: Sequence[BoardRow]) -> float:
    """About the width of the longest name."""
    return 0.062 * max(len(_name(row)) for row in rows)


def _count(title: str, languages: int) -> str:
    return f"{title}: {languages} language{'' if languages == 1 else 's'}"


def _foreign(text: str, longest: int = _LONGEST) -> str:
    """Somebody else's text, without what cannot be drawn; where it is drawn, `parse_math` is off."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return printable if len(printable) <= longest else printable[: longest - 1] + "\u2026"


# Intervals by target group


def _intervals(board: BoardContent, section: BoardSection) -> Figure | None:
    """One panel a target group, two in a line; rows sorted by accuracy, best on top."""
    from matplotlib.figure import Figure

    groups = [name for name in section.groups if any(name in row.scores for row in section.rows)]
    if not groups:
        return None
    columns = min(2, len(groups))
    lines = -(-len(groups) // columns)
    height = 0.8 + 0.19 * len(section.rows)
    figure = Figure(figsize=((2.4 + _inches(section.rows)) * columns, height * lines + 0.3), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False)
    for axes, name in zip(panels.flat, groups, strict=False):
        _interval_panel(axes, board, section, name)
    for axes in panels.flat[len(groups) :]:
        axes.set_axis_off()
    return figure


def _interval_panel(axes: Axes, board: BoardContent, section: BoardSection, group: str) -> None:
    rows = [(row, row.scores[group]) for row in section.rows if group in row.scores]
    rows.sort(key=lambda pair: -pair[1].value)
    for number, (_, score) in enumerate(rows):
        _interval_row(axes, number, score)
    chance = [board.chance[code] for code in section.groups[group] if code in board.chance]
    if chance and len(chance) == len(section.groups[group]):
        axes.axvline(100 * sum(chance) / len(chance), color=GREY, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([_name(row) for row, _ in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    has_intervals = any(score.two_way or score.bootstrap for _, score in rows)
    axes.set_xlabel(
        f"{board.metric_title} in per cent" + (f", {100 * board.level:g}% intervals" if has_intervals else "")
    )
    axes.set_title(_count(_foreign(group), len(section.groups[group])), parse_math=False)


def _interval_row(axes: Axes, row: int, score: RowScore) -> None:
    """A dot, hollow without an interval; the two-way interval as a bar with ends, the bootstrap as a thin one below."""
    colour = COLOURS[0]
    if score.two_way is not None:
        low, high = 100 * max(0.0, score.two_way.low), 100 * min(1.0, score.two_way.high)
        axes.plot([low, high], [row, row], color=colour, linewidth=1.6, marker="|", markersize=5)
    if score.bootstrap is not None:
        low, high = 100 * max(0.0, score.bootstrap.low), 100 * min(1.0, score.bootstrap.high)
        axes.plot([low, high], [row + 0.28, row + 0.28], color=GREY, linewidth=0.7)
    if score.seeds > 1:
        seeds = [100 * value for value in score.by_seed]
        axes.plot(seeds, [row + 0.14] * len(seeds), color=colour, linewidth=0, marker=".", markersize=2.2)
    bare = score.two_way is None and score.bootstrap is None
    face = "white" if bare else colour
    axes.plot([100 * score.value], [row], marker="o", markersize=4, color=colour, markerfacecolor=face)
    if score.letters:
        axes.annotate(
            _foreign(letters(score) if score.hollow else score.letters, 12),
            (1.0, row),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
            parse_math=False,
        )


# Accuracy by language


def _languages(board: BoardContent, section: BoardSection) -> Figure | None:
    """One line a method; seen and unseen languages in panels of their own, sorted by the best method."""
    return languages_figure(board, [row for row in section.rows if row.by_language][:LINES])


def languages_figure(board: BoardContent, rows: Sequence[BoardRow]) -> Figure | None:
    """One line a row (at most LINES of them); languages in panels by pre-training, sorted by the first row."""
    from matplotlib.figure import Figure

    panels = _panels(board, rows)
    if not panels:
        return None
    widest = max(len(codes) for _, codes in panels)
    width = max(4.0, min(14.0, 0.09 * widest + 1))
    columns = max(1, min(3, int(width / (_inches(rows) + 0.5))))
    legend_height = 0.16 * -(-len(rows) // columns) + 0.2
    figure = Figure(figsize=(width, 2.0 * len(panels) + legend_height), layout="constrained")
    drawn = figure.subplots(len(panels), 1, squeeze=False, sharey=True)
    for axes, (title, codes) in zip(drawn.flat, panels, strict=True):
        _curve_panel(axes, rows, codes)
        axes.set_ylabel(f"{board.metric_title} in per cent")
        axes.set_title(_count(title, len(codes)))
    _legend(figure, rows, columns)
    return figure


def _legend(figure: Figure, rows: Sequence[BoardRow], columns: int) -> None:
    """Names are set afterwards: a legend would leave out those that begin with an underscore."""
    lines = figure.axes[0].lines[: len(rows)]
    legend = figure.legend(lines, ["row"] * len(rows), loc="outside upper left", ncols=columns, handlelength=3.5)
    for text, row in zip(legend.get_texts(), rows, strict=True):
        text.set_parse_math(False)
        text.set_text(_name(row))


def _panels(board: BoardContent, rows: Sequence[BoardRow]) -> list[tuple[str, list[str]]]:
    """Title and languages of each panel that has any."""
    codes = sorted({code for row in rows for code in row.by_language})
    seen = {code: board.languages[code].seen if code in board.languages else None for code in codes}
    panels = [(title, [code for code in codes if seen[code] is kind]) for kind, title in _PANELS]
    return [(title, sorted(members, key=_order(rows[0]))) for title, members in panels if members]


def _order(row: BoardRow) -> Callable[[str], tuple[float, str]]:
    """Best language first; those that the row lacks last."""
    return lambda code: (-row.by_language.get(code, -1.0), code)


def _curve_panel(axes: Axes, rows: Sequence[BoardRow], codes: Sequence[str]) -> None:
    for k, row in enumerate(rows):
        axes.plot(
            range(len(codes)),
            [100 * row.by_language.get(code, float("nan")) for code in codes],
            color=COLOURS[k],
            linestyle=DASHES[k],
            linewidth=0.9,
            marker=MARKERS[k],
            markersize=2.4,
            markerfacecolor="white",
            markeredgewidth=0.7,
        )
    axes.set_xticks(range(len(codes)))
    axes.set_xticklabels([_foreign(code, 12) for code in codes], rotation=90, fontsize=4.5, parse_math=False)
    axes.set_xlim(-0.8, len(codes) - 0.2)
    axes.grid(axis="x", visible=False)


_DRAWN: Mapping[str, Callable[[BoardContent, BoardSection], Figure | None]] = {
    "intervals": _intervals,
    "languages": _languages,
}
"""Kind of figure -> what draws it."""
