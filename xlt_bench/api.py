"""What a notebook calls: `run`, `leaderboard` and `compare` do what the commands of those names do."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.engines import LocalEngine, carry_out
from xlt_bench.errors import ConfigError
from xlt_bench.method import Method, Progress, Silent
from xlt_bench.progress import in_notebook, notebook_display
from xlt_bench.records.record import Record
from xlt_bench.runs.naming import name_row
from xlt_bench.runs.option import options_of
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import DEFAULT_STORE, Request, read_request

if TYPE_CHECKING:
    from xlt_bench.leaderboard.board.model import Board
    from xlt_bench.leaderboard.compare.model import ComparisonReport


def run(
    method: str | type[Method] | Method | Request = Request.method,
    sources: str | Sequence[str] = Request.sources,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> list[Record]:
    """Run a method and return its Records, one a seed (in the full protocol, one a seed and target).

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
    if isinstance(method, Request):
        if options or sources != Request.sources:
            raise ConfigError("run takes a whole Request, or options; change a Request with dataclasses.replace")
        request = method
    else:
        request = read_request({"method": method, "sources": sources, **options})
    experiment = prepare(request)
    name_row(experiment, request.label)
    if progress is not None or not in_notebook():
        return carry_out(experiment, LocalEngine(progress or Silent()))
    with notebook_display(experiment.setup.label, len(experiment.missing)) as display:
        return carry_out(experiment, LocalEngine(display))


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
    return inspect.Signature([*first, *further], return_annotation="list[Record]")


run.__signature__ = _signature()  # type: ignore[attr-defined]


def leaderboard(
    store: Path | str = DEFAULT_STORE,
    *,
    task: str | None = None,
    backbone: str | None = None,
    sources: str | None = None,
    targets: str | None = None,
    reference: str | None = None,
    metric: str = "accuracy",
    level: float = 0.95,
) -> list[Board]:
    """The boards of a store, one a task, as `xlt-bench leaderboard` shows them; the arguments are its options.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    from xlt_bench.leaderboard.board.boards import boards_of
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.board.options import Options
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    options = Options(level=level, reference=reference, metric=metric_named(metric))
    return list(boards_of(Store(Path(store)), Filter(task, backbone, sources, targets), options))


def compare(
    first: str,
    second: str,
    store: Path | str = DEFAULT_STORE,
    *,
    task: str | None = None,
    targets: str | None = None,
    metric: str = "accuracy",
    level: float = 0.95,
    paired_seeds: bool = False,
) -> ComparisonReport:
    """Two rows beside each other, as `xlt-bench compare` shows them; the arguments are its options.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    from xlt_bench.leaderboard.board.filters import Filter
    from xlt_bench.leaderboard.compare.comparison import compare_in
    from xlt_bench.leaderboard.compare.options import ComparisonOptions
    from xlt_bench.metrics import metric_named
    from xlt_bench.records.store import Store

    options = ComparisonOptions(level=level, paired_seeds=paired_seeds, metric=metric_named(metric))
    return compare_in(Store(Path(store)), Filter(task), first, second, targets, options)
