"""`xlt-bench leaderboard`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from xlt_bench.cli.completion import completer
from xlt_bench.cli.options import (
    STORE,
    FamilyOption,
    IntervalOption,
    JsonOption,
    LanguagesOption,
    LevelOption,
    MetricOption,
    StoreOption,
    TaskFilter,
    check_languages,
)
from xlt_bench.errors import ConfigError
from xlt_bench.runs.option_values import check_level

if TYPE_CHECKING:
    from xlt_bench.leaderboard.render.latex import LatexOptions

Form = Literal["table", "md", "latex", "csv", "json", "html"]
TableWidth = Literal["column", "page"]


def leaderboard(
    store: StoreOption = STORE,
    task: TaskFilter = None,
    backbone: Annotated[str | None, typer.Option(help="Only this one: its name, or first digits of its hash.")] = None,
    sources: Annotated[str | None, typer.Option(help="Only these sources, as for `run`.")] = None,
    targets: Annotated[
        str | None,
        typer.Option(help="Groups to show as columns, as for `run`.", autocompletion=completer("groups")),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Compare every row with this one: label, label:sources, or first digits.")
    ] = None,
    metric: MetricOption = None,
    interval: IntervalOption = "two-way",
    level: LevelOption = 0.95,
    family: FamilyOption = "group",
    languages: LanguagesOption = "fixed",
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Show the rows of earlier versions of a plug-in's file too.")
    ] = False,
    form: Annotated[Form | None, typer.Option("--format", help="[default: as FILE ends, else table]")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="LaTeX: texts with a column, of sources,resources,runs,selected,evidence,parameters."),
    ] = None,
    groups: Annotated[str | None, typer.Option(help="LaTeX: only these target groups, a,b,c, in this order.")] = None,
    caption: Annotated[str | None, typer.Option(help="LaTeX: caption. [default: what the table holds]")] = None,
    label: Annotated[str | None, typer.Option(help="LaTeX: \\label, such as tab:main.")] = None,
    width: Annotated[
        TableWidth | None, typer.Option(help="LaTeX: of one column of two, or of the page. [default: page]")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also draw figures here (PNG, SVG, PDF; needs matplotlib).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank what is in the store beside stored baselines, by target group, with intervals, ties and tests."""
    from xlt_bench.io.outputs import make_folder
    from xlt_bench.leaderboard.board.boards import boards_of
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.leaderboard.render.output import format_of, only, show
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    check_level(level)
    check_languages(languages, interval)
    format_name = "json" if as_json else format_of(form, output)
    latex_options = _latex_options(format_name, columns, groups, caption, label, width)
    full = format_name in ("json", "html") or figures is not None
    options = Options(
        interval="bootstrap" if languages == "random" else interval,
        level=level,
        bootstrap=full,
        reference=reference,
        metric=None if metric is None else metric_named(metric),
        family=family,
        random_languages=languages == "random",
        superseded=superseded,
        detailed=format_name == "html",
    )
    if figures is not None:
        make_folder(figures, "--figures")
    boards = boards_of(Store(store), Filter(task, backbone, sources, targets), options)
    show(boards, format_name, output, latex_options=latex_options)
    if not any(row.seeds and not row.source for board in boards for section in board.sections for row in section.rows):
        print(f"all of these are stored results, none a run in {store}; make some: xlt-bench run", file=sys.stderr)
    if figures is not None:
        from xlt_bench.leaderboard.render.figures import save_figures

        paths = save_figures(only(boards, "figures are"), figures)
        print(f"{len(paths)} figures in {figures}", file=sys.stderr)


def _latex_options(
    format_name: str,
    columns: str | None,
    groups: str | None,
    caption: str | None,
    label: str | None,
    width: TableWidth | None,
) -> LatexOptions | None:
    """How the tables look; ConfigError for such an option of another format, or a column that there is not."""
    options = {"columns": columns, "groups": groups, "caption": caption, "label": label, "width": width}
    set_options = [name for name, value in options.items() if value is not None]
    if format_name != "latex":
        if set_options:
            raise ConfigError(f"--{set_options[0]} is of LaTeX tables; add --format latex, or leave it out")
        return None
    from xlt_bench.leaderboard.render.latex import LatexOptions, check_columns

    names = tuple(filter(None, (columns or "").split(",")))
    check_columns(names)
    chosen = None if groups is None else tuple(name.strip() for name in groups.split(",") if name.strip())
    return LatexOptions(cast(Any, names), chosen, caption, label, width or "page")
