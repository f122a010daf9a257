"""Protocols: in which order fit, adapt and predict happen, and what data each may see.

zero-shot: fit on the sources' train and dev splits; predict every target. No target data is in scope during the fit.
full: fit on the sources, then adapt from that fit to one target on its train split, its dev split selecting, and
predict its test split (sequential transfer); without sources, fit on the target's own splits (monolingual baseline).
"""

from __future__ import annotations

import dataclasses
import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from xlt_bench.errors import ConfigError, MethodError, XltBenchError
from xlt_bench.method import Adaptable, Context, FitSummary, Fitted, Method, Packable, PackAdaptable, PackError, Scores
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Predictions
from xlt_bench.task import Example, Labelled, Task, concatenate
from xlt_bench.tasks.sampling import stratified

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Faults of the store's disk, not of a method."""


@dataclass(frozen=True)
class Outcome:
    """What came of one cell."""

    cell: Cell
    fitted: Fitted
    predictions: Predictions
    fit_seconds: float
    predict_seconds: float


def run_pack(
    cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context]
) -> list[Outcome | MethodError]:
    """Fit and predict cells that differ in their seed only; contexts belong to the cells one by one.

    A seed that failed by itself among several has its error in place of an outcome.
    """
    started = time.perf_counter()
    fits: Sequence[Fitted | MethodError]
    try:
        fits = fit_pack(cells, method, task, contexts)
    except PackError as error:
        fits = error.outcomes
    return _all_predicted(cells, fits, task, time.perf_counter() - started)


def fit_source(cell: Cell, method: Method, task: Task, context: Context) -> Adaptable:
    """Fit on the sources of a cell, to adapt from there to its target and to others.

    Raises:
        ConfigError: what the method fits cannot be adapted.
    """
    (fitted,) = fit_pack([cell], method, task, [context])
    if not isinstance(fitted, Adaptable):
        raise ConfigError(
            f"method {cell.method} cannot go on learning from a target ({type(fitted).__name__} has no adapt); "
            "use --protocol zero-shot, or --sources none to fit on each target alone"
        )
    return fitted


def run_adapted(
    cells: Sequence[Cell], fitted: Adaptable, task: Task, contexts: Sequence[Context]
) -> list[Outcome | MethodError]:
    """Adapt a fit on the sources to the one target of each cell, in one pass where it can, and predict it.

    A cell that failed by itself among several has its error in place of an outcome.
    """
    trains, devs = zip(*(target_data(cell, task) for cell in cells), strict=True)
    started = time.perf_counter()
    adapted: Sequence[Fitted | MethodError]
    try:
        with calling("adapt"):
            if len(cells) > 1 and isinstance(fitted, PackAdaptable):
                adapted = fitted.adapt_many(trains, devs, contexts)
            else:
                adapted = [fitted.adapt(*given) for given in zip(trains, devs, contexts, strict=True)]
    except PackError as error:
        adapted = error.outcomes
    for found in adapted:
        if not isinstance(found, MethodError):
            check_fitted(found, "adapt")
    return _all_predicted(cells, adapted, task, time.perf_counter() - started)


def fit_pack(cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context]) -> list[Fitted]:
    """Fit cells that differ in their seed only: on their sources, or on the target's own splits."""
    data = source_data if cells[0].sources else target_data
    if cells[0].shots is None and cells[0].examples is None:
        return _fit(method, *data(cells[0], task), contexts)
    return [  # each seed has examples of its own
        _fit(method, *data(cell, task), [context])[0] for cell, context in zip(cells, contexts, strict=True)
    ]


def source_data(cell: Cell, task: Task) -> tuple[Labelled, Labelled]:
    """Train and dev split of a cell's sources, limited to its number of examples as `target_data` is to its shots."""
    pools = (task.pool(cell.sources, "train"), task.pool(cell.sources, "dev"))
    train, dev = (stratified(part, cell.examples, cell.seed) for part in pools)
    return train, dev


def target_data(cell: Cell, task: Task) -> tuple[Labelled, Labelled]:
    """Train and dev split of a cell's one target; with few shots, that many items at most of either.

    The subsets keep the classes' shares, are the same for every method and seed by seed, and each is part of every
    larger one. Dev is cut too: who has 8 labelled sentences has no 99 more to select a checkpoint on.
    """
    (target,) = cell.targets
    splits = (task.split(target, "train"), task.split(target, "dev"))
    train, dev = (stratified(part, cell.shots, cell.seed) for part in splits)
    return train, dev


def paced(recipe: Recipe, cell: Cell, task: Task) -> Recipe:
    """The recipe of adapting to a target: with few shots, dev is evaluated as often as with the whole train split.

    An epoch over 8 examples is a single step, and a dev evaluation each step is no protocol.
    """
    if cell.shots is None or recipe.evaluate_every is not None:
        return recipe
    items = len(task.split(cell.targets[0], "train"))
    return dataclasses.replace(recipe, evaluate_every=-(-items // recipe.batch_size))


def selected_on(cell: Cell) -> str:
    """Which data chose the checkpoint of a cell."""
    return "source dev" if cell.protocol == "zero-shot" else "target dev"


def _all_predicted(
    cells: Sequence[Cell], fits: Sequence[Fitted | MethodError], task: Task, seconds: float
) -> list[Outcome | MethodError]:
    """What came of cells that were fitted together in this time."""
    return [
        fitted if isinstance(fitted, MethodError) else _predicted(cell, fitted, task, seconds / len(cells))
        for cell, fitted in zip(cells, fits, strict=True)
    ]


def _predicted(cell: Cell, fitted: Fitted, task: Task, fit_seconds: float) -> Outcome:
    started = time.perf_counter()
    predictions = predict(fitted, [task.split(code, "test") for code in cell.targets], task.labels)
    return Outcome(cell, fitted, predictions, fit_seconds, time.perf_counter() - started)


def _fit(method: Method, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[Fitted]:
    if len(contexts) > 1 and isinstance(method, Packable):
        with calling("fit_many"):
            fits = list(method.fit_many(train, dev, contexts))
        if len(fits) != len(contexts):
            raise MethodError(f"fit_many must return one fitted object for each of {len(contexts)}, not {len(fits)}")
    else:
        with calling("fit"):
            fits = [method.fit(train, dev, context) for context in contexts]
    for fitted in fits:
        check_fitted(fitted)
    return fits


@contextmanager
def calling(call: str) -> Iterator[None]:
    """Turns what a method raises into a MethodError that names the call; the cause keeps its traceback.

    Errors of this package pass as they are, as do those of a disk that takes no more.
    """
    try:
        yield
    except (XltBenchError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            raise
        raise MethodError(f"{call} raises {type(error).__name__}: {error}") from error


def check_fitted(fitted: object, call: str = "fit") -> None:
    """Refuse what is no Fitted; `call` is what returned it."""
    missing = [part for part in ("predict", "save", "summary") if not hasattr(fitted, part)]
    if missing:
        raise MethodError(
            f"{call} must return a fitted object; {type(fitted).__name__} has no {', '.join(missing)} "
            "(see Fitted in xlt_bench/method.py)"
        )
    if not isinstance(fitted.summary, FitSummary):  # type: ignore[attr-defined]
        raise MethodError("the summary of a fitted object must be a FitSummary (see xlt_bench/method.py)")


def predict(fitted: Fitted, parts: Sequence[Labelled], labels: tuple[str, ...]) -> Predictions:
    """Predict examples without their labels, check the scores, and lay the labels beside the predictions.

    What is predicted bears numbers in place of ids: an id may tell the answer (cldr's begin with it), and which items
    of two languages are translations of each other.

    Raises:
        MethodError: scores of a wrong shape, or not finite.
    """
    whole = concatenate(parts)
    shown = [example._replace(id=str(number)) for number, example in enumerate(whole.examples)]
    with calling("predict"):
        found = fitted.predict(shown)
    scores = checked(found, whole.examples, len(labels))
    names = np.asarray(labels, object)
    return Predictions(
        language=np.asarray([example.language for example in whole.examples], object),
        item_id=np.asarray([example.id for example in whole.examples], object),
        gold=names[whole.gold],
        predicted=names[scores.argmax(1)],
    )


def checked(scores: Scores, examples: Sequence[Example], classes: int) -> Scores:
    """The scores, or a MethodError that says which rule they break."""
    found = np.asarray(scores)
    if found.dtype.kind not in "fiu":
        raise MethodError(f"predict must return numbers; it returns {type(scores).__name__} of {found.dtype}")
    if found.shape != (len(examples), classes):
        raise MethodError(
            f"predict must return shape ({len(examples)}, {classes}), one row an item; it is {found.shape}"
        )
    if not np.isfinite(found).all():
        raise MethodError(f"predict must return finite scores; {int((~np.isfinite(found)).any(1).sum())} rows are not")
    return found
