"""Board: what `leaderboard` returns, to look at, to count with and to export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xlt_bench.io.outputs import write_output
from xlt_bench.leaderboard.board.model import BoardContent

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from xlt_bench.leaderboard.render.latex import Column, Width


@dataclass(frozen=True, repr=False)
class Board:
    """The board of one task, as `xlt-bench leaderboard` shows it; `print(board)` is its table.

    Attributes:
        content: everything on it, as plain data: sections, rows and scores.
        detailed_content: makes it anew with what only the page shows, which takes some seconds.
    """

    content: BoardContent
    detailed_content: Callable[[], BoardContent]

    def to_pandas(self) -> pandas.DataFrame:
        """One row a configuration and target group, the columns of `leaderboard --format csv`; values in [0, 1]."""
        import pandas

        from xlt_bench.leaderboard.render.plain_data import csv_rows

        return pandas.DataFrame(csv_rows([self.content]))

    def to_markdown(self) -> str:
        """As `leaderboard --format md`."""
        from xlt_bench.leaderboard.render.markup import markdown

        return markdown(self.content)

    def to_latex(
        self,
        *,
        columns: Sequence[Column] = (),
        groups: Sequence[str] | None = None,
        caption: str | None = None,
        label: str | None = None,
        width: Width = "page",
    ) -> str:
        """As `leaderboard --format latex`; the tables need the packages array and booktabs, long ones longtable.

        Args:
            columns: texts that get a column beside the method: sources, resources, runs, selected, evidence,
                parameters.
            groups: target groups to show, in this order; None: all.
            caption: in place of the section's title.
            label: of the first table; further ones get `-2`, `-3`.
            width: of one `column` of two, or of the `page`.

        Raises:
            ConfigError: a column or group that there is not, or more columns than the width holds.
        """
        from xlt_bench.leaderboard.render.latex import LatexOptions, latex

        chosen = None if groups is None else tuple(groups)
        return latex(self.content, LatexOptions(tuple(columns), chosen, caption, label, width))

    def to_html(self, path: Path | str | None = None) -> str:
        """The page of `leaderboard -o FILE.html`, also written to `path` where that is given.

        Raises:
            ConfigError: the file cannot be written.
        """
        from xlt_bench.leaderboard.render.page.document import page

        text = page(self.detailed_content())
        if path is not None:
            write_output(Path(path), text, "path")
        return text

    def plot(self, kind: Literal["intervals", "languages"] = "intervals", section: int = 1) -> Figure:
        """A figure for a paper: intervals by target group, or values by language.

        Args:
            kind: which of the two.
            section: which of the board's sections, from 1.

        Raises:
            ConfigError: matplotlib is not installed, there is no such section, or it has nothing to draw.
        """
        from xlt_bench.api.views import show_figures_in_notebooks
        from xlt_bench.leaderboard.render.figures import figure_of
        from xlt_bench.progress import in_notebook

        figure = figure_of(self.content, kind, section)
        if in_notebook():
            show_figures_in_notebooks()
        return figure

    def __repr__(self) -> str:
        content = self.content
        rows = sum(len(section.rows) for section in content.sections)
        return (
            f"Board of {content.task} (data {content.task_hash[:8]}): {rows} row{'' if rows == 1 else 's'} in "
            f"{len(content.sections)} section{'' if len(content.sections) == 1 else 's'}, {content.metric_title}; "
            "print(board) shows it"
        )

    def __str__(self) -> str:
        from xlt_bench.api.views import as_text
        from xlt_bench.leaderboard.render.terminal import BoardView

        return as_text(BoardView(self.content))

    def _repr_html_(self) -> str:
        from xlt_bench.api.views import as_html
        from xlt_bench.leaderboard.render.terminal import BoardView

        return as_html(BoardView(self.content))
