"""Calls of a method's code: what it raises names the call, and what it returns is checked before it is used."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# by name: bound when this is imported, before any plug-in is, so that replacing them in numpy changes no score
from numpy import asarray, concatenate, cumsum, intp, isfinite, isnan, where
from numpy.typing import NDArray

from xlt_bench.errors import MethodError, XltBenchError
from xlt_bench.io.stop_signals import Stopped
from xlt_bench.method import (
    Adaptable,
    Context,
    FitSummary,
    Fitted,
    Method,
    Packable,
    PackAdaptable,
    PackError,
    Reporting,
    Scores,
)
from xlt_bench.records.record import Predictions
from xlt_bench.resources import SOURCE_PARALLEL
from xlt_bench.task import Example, Labelled
from xlt_bench.task import concatenate as pooled

Fits = Sequence[Fitted | MethodError]
"""What came of each cell that was fitted; the error of one that failed by itself among several."""

DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""Faults of the store's disk, not of a method."""


@contextmanager
def calling(call: str) -> Iterator[None]:
    """Turns what a method raises into a MethodError that names the call; the cause keeps its traceback.

    Errors of this package pass as they are, as do those of a disk that takes no more, and a scheduler's wish to leave.
    """
    try:
        yield
    except (XltBenchError, MemoryError, Stopped):
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            raise
        raise MethodError(f"{call} raises {type(error).__name__}: {error}") from error


def fit(method: Method, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> Fits:
    """Fit once for each context, in one pass where the method can; contexts differ in their seed only.

    Ids tell which items of two languages say the same: only who declares that resource sees them.
    """
    if SOURCE_PARALLEL not in contexts[0].resources:
        train, dev = anonymous(train), anonymous(dev)
    fits: Fits
    try:
        if len(contexts) > 1 and isinstance(method, Packable):
            with calling("fit_many"):
                fits = list(method.fit_many(train, dev, contexts))
        else:
            with calling("fit"):
                fits = [method.fit(train, dev, context) for context in contexts]
    except PackError as error:
        fits = error.outcomes
    if len(fits) != len(contexts):
        raise MethodError(f"fit_many must return one fitted object for each of {len(contexts)}, not {len(fits)}")
    _check_all(fits, "fit")
    return fits


def adapt(fitted: Adaptable, trains: Sequence[Labelled], devs: Sequence[Labelled], contexts: Sequence[Context]) -> Fits:
    """Adapt a fit to each target, in one pass where it can; the three lists belong together one by one.

    Ids would tell which items of the target are translations of source items.
    """
    trains, devs = [anonymous(train) for train in trains], [anonymous(dev) for dev in devs]
    adapted: Fits
    try:
        with calling("adapt"):
            if len(contexts) > 1 and isinstance(fitted, PackAdaptable):
                adapted = fitted.adapt_many(trains, devs, contexts)
            else:
                adapted = [fitted.adapt(*parts) for parts in zip(trains, devs, contexts, strict=True)]
    except PackError as error:
        adapted = error.outcomes
    _check_all(adapted, "adapt")
    return adapted


def _check_all(fits: Fits, call: str) -> None:
    for fitted in fits:
        if not isinstance(fitted, MethodError):
            check_fitted(fitted, call)


def check_fitted(fitted: object, call: str) -> None:
    """Refuse what is no Fitted; `call` is what returned it."""
    missing = [part for part in ("predict", "save", "summary") if not hasattr(fitted, part)]
    if missing:
        raise MethodError(
            f"{call} must return a fitted object; {type(fitted).__name__} has no {', '.join(missing)} "
            "(see Fitted in xlt_bench/method.py)"
        )
    if not isinstance(fitted.summary, FitSummary):  # type: ignore[attr-defined]
        raise MethodError("the summary of a fitted object must be a FitSummary (see xlt_bench/method.py)")


Predicted = Callable[[int, int], None]
"""Is told how many parts and how many items are predicted."""


def predict(
    fitted: Fitted,
    parts: Sequence[Labelled],
    labels: tuple[str, ...],
    predicted: Predicted = lambda parts, items: None,
    *,
    abstains: bool = False,
) -> Predictions:
    """Predict examples without their labels, check the scores, and lay the labels beside the predictions.

    Each part, the items of a language, is a call of its own, so that a long prediction can say how far it is. What is
    predicted bears numbers in place of ids: an id may tell the answer (cldr's begin with it), and which items of two
    languages are translations of each other.

    Args:
        abstains: whether the method may answer with no class, which is predicted as "".

    Raises:
        MethodError: scores of a wrong shape, or not finite.
    """
    items = pooled(parts)
    examples = anonymous(items).examples
    ends = cumsum([len(part) for part in parts]).tolist()
    choices = []
    for number, (part, end) in enumerate(zip(parts, ends, strict=True), start=1):
        with calling("predict"):
            scores = fitted.predict(examples[end - len(part) : end])
        choices.append(chosen_classes(checked_scores(scores, part.examples, len(labels), abstains=abstains)))
        predicted(number, end)
    classes = concatenate(choices)
    names = asarray((*labels, ""), object)  # the last for an item without a class
    return Predictions(
        language=asarray([example.language for example in items.examples], object),
        item_id=asarray([example.id for example in items.examples], object),
        gold=names[items.gold],
        predicted=names[classes],
    )


def report_of(fitted: Fitted, parts: Sequence[Labelled]) -> Mapping[str, Any]:
    """What a fitted method has to tell of the items that it predicted, by name; nothing of most methods."""
    if not isinstance(fitted, Reporting):
        return {}
    with calling("report"):
        return {"report": fitted.report(anonymous(pooled(parts)).examples)}


def anonymous(part: Labelled) -> Labelled:
    """The items with mere numbers in place of their ids."""
    examples = (example._replace(id=str(number)) for number, example in enumerate(part.examples))
    return Labelled(tuple(examples), part.gold)


def chosen_classes(scores: Scores) -> NDArray[intp]:
    """The class of the greatest score of each item, (items,); -1 for a row of NaN."""
    return where(isnan(scores).all(1), -1, scores.argmax(1))


def checked_scores(scores: Scores, examples: Sequence[Example], classes: int, *, abstains: bool = False) -> Scores:
    """The scores, or a MethodError that says which rule they break; whole rows may be NaN where a method abstains."""
    array = asarray(scores)
    if array.dtype.kind not in "fiu":
        raise MethodError(f"predict must return numbers; it returns {type(scores).__name__} of {array.dtype}")
    if array.shape != (len(examples), classes):
        raise MethodError(
            f"predict must return shape ({len(examples)}, {classes}), one row an item; it is {array.shape}"
        )
    wrong = ~isfinite(array).all(1)
    if abstains:
        wrong &= ~isnan(array).all(1)
    if wrong.any():
        raise MethodError(f"predict must return finite scores; {int(wrong.sum())} rows are not")
    return array
