"""`run`, `leaderboard` and `compare`; their arguments are the options of the commands of those names."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from xlt_bench.api.board import Board
from xlt_bench.api.comparison import Comparison
from xlt_bench.api.runs import Runs
from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.errors import ConfigError
from xlt_bench.io.processor import share_cores
from xlt_bench.io.texts import shown
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.model import FamilyRule
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.compare.comparison import compare_in
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.method import Method, Progress, Silent
from xlt_bench.metrics import METRICS, metric_named
from xlt_bench.progress import in_notebook, notebook_display
from xlt_bench.records.store import Store
from xlt_bench.runs.naming import name_row
from xlt_bench.runs.option import one_of, options_of, read_flag, read_path, read_text
from xlt_bench.runs.option_values import check_level
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import DEFAULT_STORE, Request, read_request
from xlt_bench.stats import IntervalMethod

share_cores()  # before a notebook's first run imports torch


Languages = Literal["fixed", "random"]
"""Whether languages are taken as they are, or as drawn at random, family by family."""


def run(
    method: str | type[Method] | Method | Request = Request.method,
    sources: str | Sequence[str] = Request.sources,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Runs:
    """Run a method and return its runs, one a seed (in the full protocol, one a seed and target).

    What the store already holds is not computed again.

    Args:
        method: a name, `path/to/file.py:Class`, a class, or an instance with its hyper-parameters; or a whole Request.
        sources: an expression, or a list of groups and language codes.
        progress: is told what goes on; None: bars in a notebook, nothing elsewhere.
        options: further fields of a Request, as the command line has them or as plain values: `seeds=3` or
            `seeds=[4, 7]`, `shots=[8, 32, None]`, `settings={"n_tokens": 10}`, `targets=["unseen", "low-performing"]`.

    Raises:
        XltBenchError: the first thing that cannot be; nothing has run then.
    """
    if progress is not None:
        _check_progress(progress)
    if isinstance(method, Request):
        if options or sources != Request.sources:
            raise ConfigError("run takes a whole Request, or options; change a Request with dataclasses.replace")
        request = method
    else:
        request = read_request({"method": method, "sources": sources, **options})
    experiment = prepare(request)
    name_row(experiment, request.label)
    if progress is not None or not in_notebook():
        records = carry_out(experiment, LocalEngine(Silent() if progress is None else progress))
    else:
        with notebook_display(experiment.setup.label, len(experiment.missing)) as display:
            records = carry_out(experiment, LocalEngine(display))
    return Runs(tuple(records), experiment.setup.store)


def _signature() -> inspect.Signature:
    """That of `run` with every option by its name, for help and for what a notebook offers while one types."""
    first = list(inspect.signature(run).parameters.values())[:-1]
    names = {parameter.name for parameter in first}
    keyword = inspect.Parameter.KEYWORD_ONLY
    further = [
        inspect.Parameter(option.field, keyword, default=option.default, annotation=option.kind)
        for option in options_of(Request)
        if option.field not in names
    ]
    return inspect.Signature([*first, *further], return_annotation="Runs")


run.__signature__ = _signature()  # type: ignore[attr-defined]


def leaderboard(
    store: Path | str = DEFAULT_STORE,
    *,
    task: str | None = None,
    backbone: str | None = None,
    sources: str | None = None,
    targets: str | None = None,
    reference: str | None = None,
    metric: str | None = None,
    interval: IntervalMethod = "two-way",
    level: float = 0.95,
    family: FamilyRule = "group",
    languages: Languages = "fixed",
    superseded: bool = False,
) -> Board:
    """The board of a store's runs beside stored baselines, as `xlt-bench leaderboard` shows it.

    Raises:
        ConfigError: there is nothing to show, or runs of several tasks: choose one with `task`.
    """
    check_level(level, "level")
    options = Options(
        interval=_interval(interval, languages),
        level=level,
        reference=_text("reference", reference),
        metric=None if metric is None else metric_named(_choice("metric", metric, tuple(METRICS))),
        family=_choice("family", family, get_args(FamilyRule)),
        random_languages=languages == "random",
        superseded=read_flag(superseded, "superseded"),
    )
    chosen = Filter(
        _text("task", task), _text("backbone", backbone), _text("sources", sources), _text("targets", targets)
    )
    folder = Store(read_path(store, "store"))
    boards = boards_of(folder, chosen, options)
    if len(boards) > 1:
        ways = ", ".join(f"task='{board.task}@{board.task_hash[:4]}'" for board in boards)
        raise ConfigError(f"a Board is of one task, and there are {len(boards)}; choose one: {ways}")
    detailed = replace(options, bootstrap=True, detailed=True)
    return Board(boards[0], lambda: boards_of(folder, chosen, detailed)[0])


def compare(
    first: str | Runs,
    second: str | Runs,
    store: Path | str | None = None,
    *,
    task: str | None = None,
    targets: str | None = None,
    metric: str | None = None,
    interval: IntervalMethod = "two-way",
    level: float = 0.95,
    family: FamilyRule = "table",
    languages: Languages = "fixed",
    paired_seeds: bool = False,
) -> Comparison:
    """Two rows beside each other, as `xlt-bench compare` shows them.

    Args:
        first: a row by label, `label:sources` or first digits, as the command takes it; or what `run` returned.
        second: the other row, likewise.
        store: where they lie; None: that of the runs, else the usual one.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    stores = {rows.store.folder for rows in (first, second) if isinstance(rows, Runs)}
    if store is None and len(stores) > 1:
        raise ConfigError("the two rows lie in different stores; run both with one store")
    folder = read_path(store, "store") if store is not None else next(iter(stores), DEFAULT_STORE)
    check_level(level, "level")
    options = ComparisonOptions(
        method=_interval(interval, languages),
        level=level,
        paired_seeds=read_flag(paired_seeds, "paired_seeds"),
        metric=None if metric is None else metric_named(_choice("metric", metric, tuple(METRICS))),
        family=_choice("family", family, get_args(FamilyRule)),
        random_languages=languages == "random",
    )
    names = [rows.configuration if isinstance(rows, Runs) else read_text(rows, "a row") for rows in (first, second)]
    chosen = Filter(_text("task", task))
    return Comparison(compare_in(Store(folder), chosen, names[0], names[1], _text("targets", targets), options))


def _text(name: str, value: object) -> str | None:
    """A text that may be left out; ConfigError for anything else."""
    return None if value is None else read_text(value, name)


def _interval(interval: object, languages: object) -> IntervalMethod:
    """The interval, which for languages drawn at random is the bootstrap's.

    Raises:
        ConfigError: a value that there is not, or languages at random with an interval that cannot tell of them.
    """
    chosen: IntervalMethod = _choice("interval", interval, get_args(IntervalMethod))
    if _choice("languages", languages, get_args(Languages)) == "fixed":
        return chosen
    if chosen == "seeds":
        raise ConfigError("languages='random' needs the bootstrap, not interval='seeds'")
    return "bootstrap"


def _choice(name: str, value: object, choices: tuple[str, ...]) -> Any:
    """One of some texts; ConfigError for anything else."""
    return one_of(*choices)(value, name)


def _check_progress(progress: object) -> None:
    parts = ("activity", "step", "evaluated", "note")
    missing = [part for part in parts if not callable(getattr(progress, part, None))]
    if missing:
        raise ConfigError(
            f"progress must be a Progress (see xlt_bench/method.py), and {shown(progress)} has no {', '.join(missing)}"
        )
