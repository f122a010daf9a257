"""Checks of what a fitted method predicts."""

from __future__ import annotations

import numpy as np

from xlt_bench.conformance.bench import Bench
from xlt_bench.conformance.faults import CheckFailed, CheckSkipped
from xlt_bench.conformance.toy import CLASS_WORDS, Toy
from xlt_bench.method import Adaptable, Scores
from xlt_bench.task import Example, Labelled, concatenate

_CLOSE = 1e-4
"""Share of the scores' spread by which other batches may change a score: the rounding of other padding."""

_MANY = 2500
"""Items of which about half, as no text is there twice, are predicted at once: enough to learn something from them."""

_ODD: dict[str, tuple[str, str | None]] = {
    "an empty text": ("", None),
    "a text of spaces": ("   ", None),
    "a text of 20,000 words": ("river " * 20_000, None),
    "a text in scripts never seen": ("\u13e3\u13b3\u13a9 \u07d2\u07de\u07cf \u1c5f\u1c64 \U0001f600", None),
    "a text with a null and a direction mark": ("red\x00 \u202edog", None),
    "a pair of texts": ("the red", "dog"),
}


def one_finite_row_an_item(bench: Bench) -> None:
    """Scores are finite numbers of shape (items, classes), also where a text occurs twice."""
    examples = [*bench.probes[:9], *bench.probes[:4], bench.probes[0]]
    _check(bench.predict(bench.fitted, examples), examples, "", bench)


def _check(scores: Scores, examples: list[Example], of: str, bench: Bench) -> None:
    shape = (len(examples), len(bench.toy.labels))
    if scores.dtype.kind not in "fiu":
        raise CheckFailed(f"predict{of} gives {scores.dtype}, no numbers")
    if scores.shape != shape:
        raise CheckFailed(f"predict{of} gives shape {scores.shape}, not (items, classes) = {shape}")
    wrong = ~np.isfinite(scores).all(1)
    if getattr(bench.method, "abstains", False):
        wrong &= ~np.isnan(scores).all(1)
    if wrong.any():
        raise CheckFailed(f"predict{of} gives scores that are not finite in {wrong.sum()} rows")


def batches_and_order_change_nothing(bench: Bench) -> None:
    """An item's scores are the same twice, in any order, and in any company, few items or thousands."""
    probes, fitted = bench.probes, bench.fitted
    scores = bench.predict(fitted, probes)
    if not np.array_equal(scores, bench.predict(fitted, probes), equal_nan=True):
        raise CheckFailed("predicting the same items twice gives other scores; is dropout still on?")
    order = np.random.default_rng(0).permutation(len(probes))
    shuffled = bench.predict(fitted, [probes[i] for i in order])
    _same_scores(scores[order], shuffled, "in another order")
    parts = [bench.predict(fitted, probes[start : start + 7]) for start in range(0, len(probes), 7)]
    _same_scores(scores, np.concatenate(parts), "seven at a time")
    singles = [bench.predict(fitted, [example]) for example in probes[:5]]
    _same_scores(scores[:5], np.concatenate(singles), "one at a time")
    examples, gold = bench.scored(_MANY)
    scores = bench.predict(fitted, examples)
    order = np.argsort(gold, kind="stable")  # parts of one class each: most unlike the whole
    rows = np.split(order, range(97, len(order), 97))
    parts = [bench.predict(fitted, [examples[row] for row in part]) for part in rows]
    _same_scores(scores[order], np.concatenate(parts), f"97 of {len(examples)} at a time, class by class,")


def _same_scores(expected: Scores, actual: Scores, how: str) -> None:
    if expected.shape != actual.shape:
        raise CheckFailed(f"predicted {how}, {len(expected)} items get {len(actual)} rows")
    finite = np.isfinite(expected) & np.isfinite(actual)
    score_range = float(np.ptp(expected[finite])) if finite.any() else 0.0
    difference = float(np.abs(np.where(finite, expected - actual, 0.0)).max(initial=0.0))
    if difference > _CLOSE * max(score_range, 1e-6):
        raise CheckFailed(f"predicted {how}, scores of spread {score_range:.2g} differ by up to {difference:.2g}")


def odd_inputs_are_predicted(bench: Bench) -> None:
    """Odd texts, a batch of one, an unknown language and a language with a single item get proper scores."""
    for name, (text, pair) in _ODD.items():
        odd = Example("odd", "eng_Latn", text, pair)
        _check(bench.predict(bench.fitted, [odd]), [odd], f" of {name}", bench)
        company = [bench.probes[0], odd, bench.probes[1]]
        _check(bench.predict(bench.fitted, company), company, f" of {name} among others", bench)
    foreign = [Example("odd", "kat_Geor", "red dog")]
    _check(bench.predict(bench.fitted, foreign), foreign, " of a language that was not fitted", bench)
    train, dev = (_with_single(part, bench.toy) for part in (bench.toy.items(63, 4), bench.toy.items(21, 5)))
    single = [Example("odd", "yor_Latn", "the cat")]
    _check(bench.predict(bench.fit(train, dev), single), single, " after a fit with a language of one item", bench)


def _with_single(part: Labelled, form: Toy) -> Labelled:
    only = Labelled((Example("only", "yor_Latn", f"the {CLASS_WORDS[form.classes[0]][0]}"),), np.array([0]))
    return concatenate([part, only])


def adapt_leaves_the_source_fit(bench: Bench) -> None:
    """Adapting gives a new fitted object, and the one it starts from predicts as before."""
    backbone = bench.backbone() if bench.method.uses_backbone else None
    fitted = bench.fit(context=bench.context(backbone=backbone))
    if not isinstance(fitted, Adaptable):
        raise CheckSkipped("the method has no adapt")
    source_scores, summary = bench.predict(fitted, bench.probes), fitted.summary
    adapted = bench.adapt(fitted, backbone)
    examples = list(bench.probes[:3])
    if adapted is fitted:
        raise CheckFailed("adapt returns the object it was called on; several targets start from one source fit")
    _check(bench.predict(adapted, examples), examples, " after adapt", bench)
    if (
        not np.array_equal(source_scores, bench.predict(fitted, bench.probes), equal_nan=True)
        or fitted.summary != summary
    ):
        raise CheckFailed("after adapt the source fit predicts differently; train a copy")
