"""A Study: a grid of runs and the report that it yields, as a TOML file says it.

    title = "Zero-shot transfer"
    question = "Which soft prompt transfers best?"

    [[grid]]                                # one or more; the study has the runs of all of them
    methods = ["spt", "xpe"]
    sources = ["joshi5", "seen"]            # expressions as for `--sources`

    [report]
    form = "groups"

Every other key of a grid is optional; most are options of `xlt-bench run`, declared in `xlt_bench.runs.request`. An
unknown key is an error with a suggestion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal, cast, get_args

from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.toml_files import TomlTable, read_toml
from xlt_bench.plugins.hyperparameters import text_of
from xlt_bench.records.cell import FULL
from xlt_bench.runs.option import options_of
from xlt_bench.runs.request import NO_SOURCES, Request

KEYS = ("title", "question", "grid", "report")
GRID_OPTIONS = options_of(Request, "grid")
GRID_KEYS = ("title", "methods", "sources", "sweep", "steps-of", "compute-of", *(option.key for option in GRID_OPTIONS))
REPORT_KEYS = ("form", "pairs", "over", "order-by", "baselines", "published", "primary", "metric")
Form = Literal["groups", "board", "languages", "curve", "cost"]
Axis = Literal["shots", "sources"]


@dataclass(frozen=True)
class Grid:
    """Every method on every source expression.

    Attributes:
        methods: names or file references.
        sources: expressions, as of a Request.
        options: of all runs of the grid, by the names of a Request's fields.
        sweep: hyper-parameter -> its values as `--set` takes them; every combination is run.
        steps_of: a method whose budget of the preset all methods get: the same number of examples seen.
        compute_of: a method whose budget, in arithmetic of forward and backward passes, all methods get.
        title: of the part of the report that shows this grid by itself; None: it has none.
    """

    methods: tuple[str, ...]
    sources: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    steps_of: str | None = None
    compute_of: str | None = None
    title: str | None = None
    sweep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def settings(self) -> tuple[Mapping[str, str], ...]:
        """The hyper-parameters of each run of a method on some sources: those of all runs with each combination."""
        common: Mapping[str, str] = self.options.get("settings", {})
        return tuple(
            {**common, **dict(zip(self.sweep, values, strict=True))} for values in product(*self.sweep.values())
        )

    def request(self, method: str, sources: str, settings: Mapping[str, str], base: Request) -> Request:
        """The run of a method on some sources: what the grid says, unless `base` says it otherwise."""
        usual = Request()
        options = {name: value for name, value in self.options.items() if getattr(base, name) == getattr(usual, name)}
        return replace(base, method=method, sources=sources, **{**options, "settings": settings})

    @property
    def learns_targets(self) -> bool:
        """Whether any of its runs learns from labelled examples of a target."""
        return self.options.get("protocol") == FULL or NO_SOURCES in self.sources


@dataclass(frozen=True)
class ReportSpec:
    """What the report shows.

    Attributes:
        form: `groups` is a table of target groups x sources by method, `board` ranks as `leaderboard` does,
            `languages` draws a curve over languages, `curve` one over `over`, `cost` accuracy against what it costs.
        pairs: methods (as a table shows them) whose difference is tested, on the same sources and examples.
        over: of a curve: `shots`, labelled examples of the target, or `sources`, the number of source languages.
        order_by: of `languages`: the method that sorts them.
        baselines: of `board`: with what others published on this task.
        published: method -> the system of the stored baselines that is its published counterpart.
        primary: the target group that the question is about, in place of the task's: tests on it are confirmatory.
        metric: what is shown and tested; None: what the task is judged by.
    """

    form: Form
    pairs: tuple[tuple[str, str], ...] = ()
    over: Axis | None = None
    order_by: str | None = None
    baselines: bool = False
    published: Mapping[str, str] | None = None
    primary: str | None = None
    metric: str | None = None


@dataclass(frozen=True)
class Study:
    """A named plan."""

    name: str
    title: str
    question: str
    grids: tuple[Grid, ...]
    report: ReportSpec


def read_study(path: Path) -> Study:
    """A study from its file, checked.

    Raises:
        ConfigError: what breaks a rule, with file and key.
    """
    file = read_toml(path)
    file.check_keys(KEYS)
    tables = file.values.get("grid")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{path}: a study needs at least one [[grid]] with methods and sources")
    grids = tuple(
        _grid(TomlTable(f"{path}, [[grid]] {number}", table, path.parent)) for number, table in enumerate(tables, 1)
    )
    if "report" not in file.values:
        raise ConfigError(f"{path}: a study needs a [report] with a form: {', '.join(get_args(Form))}")
    study = Study(
        name=path.stem,
        title=_needed(file.text("title"), "title", file),
        question=_needed(file.text("question"), "question", file),
        grids=grids,
        report=_report(file.table("report")),
    )
    _check_names(study, file.table("report").where)
    return study


def _check_names(study: Study, where: str) -> None:
    """Refuse a report that speaks of methods which the study does not run."""
    methods = {method for grid in study.grids for method in grid.methods}
    lines = {f"{method}:{sources}" for grid in study.grids for method in grid.methods for sources in grid.sources}
    report = study.report
    paired = [name for pair in report.pairs for name in pair]
    named = [*paired, *([report.order_by] if report.order_by else []), *(report.published or {})]
    for name in named:
        if name not in methods and (name not in lines or name not in paired):
            raise ConfigError(f"{where}: {unknown('method of the grids', name, methods, ', '.join(sorted(methods)))}")


def _grid(section: TomlTable) -> Grid:
    section.check_keys(GRID_KEYS)
    grid = Grid(
        methods=_listed(section, "methods"),
        sources=_listed(section, "sources"),
        options=dict(_options(section)),
        steps_of=section.text("steps-of"),
        compute_of=section.text("compute-of"),
        title=section.text("title"),
        sweep=_sweep(section.table("sweep")),
    )
    twice = [name for name in grid.sweep if name in grid.options.get("settings", {})]
    if twice:
        raise ConfigError(f"{section.where}: set and sweep both give {twice[0]}; keep one")
    _check_budget(section, grid)
    return grid


def _options(section: TomlTable) -> Iterator[tuple[str, Any]]:
    for option in GRID_OPTIONS:
        if option.key not in section.values:
            continue
        try:
            yield option.field, option.value(section.values[option.key], option.key)
        except ConfigError as error:
            raise ConfigError(f"{section.where}: {error}") from error


def _check_budget(section: TomlTable, grid: Grid) -> None:
    budgets = [key for key in ("steps", "steps-of", "compute-of") if key in section.values]
    if len(budgets) > 1:
        raise ConfigError(f"{section.where}: {' and '.join(budgets)} both say the number of steps; keep one")
    if (grid.steps_of or grid.compute_of) and grid.learns_targets:
        raise ConfigError(
            f"{section.where}: {budgets[0]} is a budget of fitting on sources; it goes neither with sources 'none' nor "
            "with protocol 'full'"
        )
    if "target_steps" in grid.options and not grid.learns_targets:
        raise ConfigError(f'{section.where}: target-steps is of adapting to a target, which needs protocol = "full"')


def _report(section: TomlTable) -> ReportSpec:
    from xlt_bench.metrics import METRICS  # brings numpy, which a completion of names can do without

    section.check_keys(REPORT_KEYS)
    form = _choice(section, "form", get_args(Form))
    if form is None:
        raise ConfigError(f"{section.where}: form is missing; choose one of {', '.join(get_args(Form))}")
    over = _choice(section, "over", get_args(Axis))
    if (form == "curve") != (over is not None):
        raise ConfigError(
            f"{section.where}: over belongs to form 'curve', which needs it: {' or '.join(get_args(Axis))}"
        )
    for key, owner in (("order-by", "languages"), ("baselines", "board")):
        if key in section.values and form != owner:
            raise ConfigError(f"{section.where}: {key} belongs to form '{owner}', not '{form}'")
    baselines = section.values.get("baselines", False)
    if not isinstance(baselines, bool):
        raise section.fault("baselines", "true or false", baselines)
    return ReportSpec(
        form=cast(Form, form),
        pairs=_pairs(section),
        over=cast("Axis | None", over),
        order_by=section.text("order-by"),
        baselines=baselines,
        published=_texts(section.table("published")),
        primary=section.text("primary"),
        metric=_choice(section, "metric", tuple(METRICS)),
    )


def _sweep(section: TomlTable) -> dict[str, tuple[str, ...]]:
    """Name -> values as `--set` takes them; a value that is a list is one of a hyper-parameter that is a list."""
    swept = {}
    for name, values in section.values.items():
        if not isinstance(values, list) or not values or not all(map(_is_setting, values)):
            raise section.fault(name, "a list of values, such as [5, 10]", values)
        swept[name] = tuple(map(text_of, values))
        if len(set(swept[name])) < len(swept[name]):
            raise ConfigError(f"{section.where}: {name} names a value twice; name each once")
    return swept


def _is_setting(value: object) -> bool:
    parts = value if isinstance(value, list) else [value]
    return all(isinstance(part, str | int | float | bool) for part in parts)


def _needed(value: str | None, key: str, section: TomlTable) -> str:
    if value is None:
        raise ConfigError(f"{section.where}: a study needs a {key}")
    return value


def _listed(section: TomlTable, key: str) -> tuple[str, ...]:
    listed = section.texts(key)
    if not listed:
        raise ConfigError(f'{section.where}: {key} must list at least one, such as {key} = ["{_EXAMPLES[key]}"]')
    return listed


_EXAMPLES: Mapping[str, str] = {"methods": "xpe", "sources": "joshi5"}


def _choice(section: TomlTable, key: str, choices: tuple[str, ...]) -> str | None:
    value = section.text(key)
    if value is not None and value not in choices:
        raise ConfigError(f"{section.where}: {unknown(key, value, choices, ', '.join(choices))}")
    return value


def _texts(section: TomlTable) -> dict[str, str]:
    for key, value in section.values.items():
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, str | int | float | bool) for part in parts):
            raise section.fault(key, "a plain value or a list of such", value)
    return {key: text_of(value) for key, value in section.values.items()}


def _pairs(section: TomlTable) -> tuple[tuple[str, str], ...]:
    value = section.values.get("pairs", [])
    if not isinstance(value, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair) for pair in value
    ):
        raise section.fault("pairs", 'a list of pairs of methods, such as [["xpe", "spt"]]', value)
    return tuple((str(first), str(second)) for first, second in value)
