"""Protocols: in which order fit, adapt and predict happen, and what data each may see.

zero-shot: fit on the sources' train and dev splits; predict every target. No target data is in scope during the fit.
full: fit on a target's own train and dev splits (no sources), then predict its test split.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xlt_bench.errors import MethodError
from xlt_bench.method import Context, FitSummary, Fitted, Method, Packable, Scores
from xlt_bench.plan import Cell
from xlt_bench.records import Predictions
from xlt_bench.task import Example, Labelled, Task, concatenate


@dataclass(frozen=True)
class Outcome:
    """What came of one cell."""

    cell: Cell
    fitted: Fitted
    predictions: Predictions
    fit_seconds: float
    predict_seconds: float


def run_pack(cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context]) -> list[Outcome]:
    """Fit and predict cells that differ in their seed only; contexts belong to the cells one by one."""
    first = cells[0]
    data_of = first.sources or first.targets
    train, dev = task.pool(data_of, "train"), task.pool(data_of, "dev")
    started = time.perf_counter()
    fits = _fit(method, train, dev, contexts)
    fit_seconds = (time.perf_counter() - started) / len(cells)
    outcomes = []
    for cell, fitted in zip(cells, fits, strict=True):
        started = time.perf_counter()
        predictions = predict(fitted, [task.split(code, "test") for code in cell.targets], task.labels)
        outcomes.append(Outcome(cell, fitted, predictions, fit_seconds, time.perf_counter() - started))
    return outcomes


def selected_on(cell: Cell) -> str:
    """Which data chose the checkpoint of a cell."""
    return "source dev" if cell.sources else "target dev"


def _fit(method: Method, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[Fitted]:
    if len(contexts) > 1 and isinstance(method, Packable):
        fits = list(method.fit_many(train, dev, contexts))
        if len(fits) != len(contexts):
            raise MethodError(f"fit_many must return one fitted object for each of {len(contexts)}, not {len(fits)}")
    else:
        fits = [method.fit(train, dev, context) for context in contexts]
    for fitted in fits:
        _check_fitted(fitted)
    return fits


def _check_fitted(fitted: object) -> None:
    missing = [part for part in ("predict", "save", "summary") if not hasattr(fitted, part)]
    if missing:
        raise MethodError(
            f"fit must return a fitted object; {type(fitted).__name__} has no {', '.join(missing)} "
            "(see Fitted in xlt_bench/method.py)"
        )
    if not isinstance(fitted.summary, FitSummary):  # type: ignore[attr-defined]
        raise MethodError("the summary of a fitted object must be a FitSummary (see xlt_bench/method.py)")


def predict(fitted: Fitted, parts: Sequence[Labelled], labels: tuple[str, ...]) -> Predictions:
    """Predict examples without their labels, check the scores, and lay the labels beside the predictions.

    Raises:
        MethodError: scores of a wrong shape, or not finite.
    """
    whole = concatenate(parts)
    scores = checked(fitted.predict(whole.examples), whole.examples, len(labels))
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
