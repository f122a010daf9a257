"""Scores that are not means over items (macro-F1, mean ranks), through confusion counts per language.

Two ways to an interval: pseudo-values, whose mean is the score and which go through `reduce` and all that follows, or
the crossed bootstrap of the score itself.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Array, Integers, at_least
from .bootstrap import Key, generator, inflation, resample_counts, seed_generators
from .reduction import cluster_numbers

Score = Callable[[Array], Array]

_COUNTS_AT_ONCE = 4_000_000


def confusion_counts(gold: ArrayLike, predicted: ArrayLike, classes: int) -> Integers:
    """How often each class was answered with each class.

    Args:
        gold: (..., items) classes 0 to `classes` - 1; -1 where the language does not have the item.
        predicted: (..., items) answers, -1 for one that names no class; not read where `gold` is -1. Leading axes
            broadcast against those of `gold`: gold (languages, items) with predicted (seeds, languages, items).
        classes: number of classes K.

    Returns:
        (..., K, K + 1) counts [gold, predicted]; the last column counts the answers that name no class.

    Raises:
        ValueError: fewer than two classes, a label outside -1 to K - 1, or shapes that do not fit.
    """
    at_least(classes, 2, "classes")
    right, answers = _labels(gold, "gold", classes), _labels(predicted, "predicted", classes)
    right, answers = np.broadcast_arrays(right, answers)
    *leading, items = right.shape
    column = np.where(answers < 0, classes, answers)
    table = classes * (classes + 1)
    experiment = np.arange(right.size // items).repeat(items).reshape(right.shape)
    cell = experiment * table + right * (classes + 1) + column
    counts = np.bincount(cell[right >= 0], minlength=table * (right.size // items))
    return counts.reshape(*leading, classes, classes + 1)


def accuracy(counts: ArrayLike) -> Array:
    """Share of right answers; (..., K, K + 1) counts to (...), NaN without items."""
    table = np.asarray(counts, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        share: Array = _right(table).sum(axis=-1) / table.sum(axis=(-2, -1))
    return share


def macro_f1(counts: ArrayLike) -> Array:
    """Plain mean over classes of F1 = 2 right / (gold + predicted); (..., K, K + 1) counts to (...).

    A class that is neither gold nor predicted has no F1 and is left out of the mean (as in scikit-learn); NaN without
    items. An answer that names no class is a miss for its gold class and nothing else.
    """
    table = np.asarray(counts, dtype=np.float64)
    either = table.sum(axis=-1) + table[..., :-1].sum(axis=-2)
    f1 = np.divide(2 * _right(table), either, out=np.zeros_like(either), where=either > 0)
    with np.errstate(invalid="ignore"):
        mean: Array = f1.sum(axis=-1) / (either > 0).sum(axis=-1)
    return mean


def macro_f1_pseudo_values(gold: ArrayLike, predicted: ArrayLike, classes: int) -> Array:
    """One number an item whose mean is macro-F1 and whose spread is that of macro-F1: its linearisation.

    With F_k = 2 right_k / (gold_k + predicted_k) over a language's n items, item i counts

        F + n / K * sum over classes k of (2 right_ki - F_k (gold_ki + predicted_ki)) / (gold_k + predicted_k)

    with K the number of classes in the mean (see `macro_f1`) and right_ki, gold_ki, predicted_ki 1 or 0: the score plus
    the item's empirical influence (the delta method for a ratio of sums; the infinitesimal jackknife of Jaeckel 1972).

    Args:
        gold: (languages, items) classes, -1 where the language does not have the item.
        predicted: (seeds, languages, items) answers, -1 for one that names no class.
        classes: number of classes.

    Returns:
        (seeds, languages, items) pseudo-values for `reduce`, NaN where the language does not have the item. The mean
        over a language's items is `macro_f1` of its counts.

    Raises:
        ValueError: as `confusion_counts`, or other axes.
    """
    right, answers = _labels(gold, "gold", classes), _labels(predicted, "predicted", classes)
    if right.ndim != 2 or answers.ndim != 3 or answers.shape[1:] != right.shape:
        raise ValueError(
            "gold must have the axes (languages, items) and predicted (seeds, languages, items), "
            f"got shapes {right.shape} and {answers.shape}"
        )
    counts = confusion_counts(right, answers, classes).astype(np.float64)
    either = counts.sum(axis=-1) + counts[..., :-1].sum(axis=-2)
    f1 = np.divide(2 * _right(counts), either, out=np.zeros_like(either), where=either > 0)
    items = counts.sum(axis=(-2, -1))
    per_answer = np.divide(
        items[..., None], either * (either > 0).sum(axis=-1, keepdims=True), out=np.zeros_like(either), where=either > 0
    )
    influence = np.zeros(answers.shape)
    for label in range(classes):
        is_gold, is_predicted = right == label, answers == label
        weight, score = per_answer[..., label, None], f1[..., label, None]
        influence += weight * (2 * (is_gold & is_predicted) - score * (is_gold.astype(np.int64) + is_predicted))
    return np.where(right >= 0, macro_f1(counts)[..., None] + influence, np.nan)


def resampled_scores(
    gold: ArrayLike,
    predicted: Sequence[ArrayLike],
    classes: int,
    score: Score = macro_f1,
    *,
    key: Key,
    resamples: int = 1_000,
    seed_keys: Sequence[Key] | None = None,
    clusters: Sequence[Hashable] | None = None,
) -> Array:
    """The crossed bootstrap for any score of confusion counts, language by language.

    One draw of items is shared by all languages and methods, one draw of seeds by all languages of a method, with the
    deviations between seeds inflated as in `resampled_means`. The mean over languages is a group's score; `ranks` of
    the result, averaged over languages, are resampled mean ranks. Unlike for means, the estimate is not the middle of
    the resamples: macro-F1 is biased downwards by resampling.

    Args:
        gold: (languages, items) classes, -1 where the language does not have the item.
        predicted: for each method (seeds, languages, items) answers, -1 for one that names no class.
        classes: number of classes K.
        score: (..., K, K + 1) counts to (...).
        key: what the draw of items follows from.
        resamples: number of resamples.
        seed_keys: as in `resampled_means`.
        clusters: (items,) label of each item's cluster; clusters are drawn whole. Default: each item by itself.

    Returns:
        (methods, languages, resamples) scores, each the mean over a resample of seeds.

    Raises:
        ValueError: as `confusion_counts`; or a language with so few items that a resample has none of them.
    """
    right = _labels(gold, "gold", classes)
    at_least(len(predicted), 1, "methods")
    if right.ndim != 2:
        raise ValueError(f"gold must have the axes (languages, items), got shape {right.shape}")
    at_least(right.shape[1], 2, "items")
    at_least(resamples, 2, "resamples")
    items = right.shape[1]
    cluster_of_item = np.arange(items) if clusters is None else cluster_numbers(clusters, np.ones(items, dtype=bool))
    drawn = resample_counts(generator("items", key), int(cluster_of_item.max()) + 1, resamples)
    item_counts = drawn[cluster_of_item].astype(np.float32)
    result = np.empty((len(predicted), len(right), resamples))
    for method, rng in enumerate(seed_generators(key, seed_keys, len(predicted))):
        answers = _labels(predicted[method], f"predicted[{method}]", classes)
        if answers.ndim != 3 or answers.shape[1:] != right.shape:
            raise ValueError(
                f"predicted[{method}] must have the axes (seeds, languages, items) of gold {right.shape}, "
                f"got shape {answers.shape}"
            )
        seed_weights = resample_counts(rng, len(answers), resamples) / len(answers)
        for language, gold_of_language in enumerate(right):
            by_seed = _by_seed(gold_of_language, answers[:, language], classes, score, item_counts)
            mean = by_seed.mean(axis=0)
            deviation = (seed_weights * (by_seed - mean)).sum(axis=0)
            result[method, language] = mean + inflation(len(answers)) * deviation
    if np.isnan(result).any():
        worst = int((right >= 0).sum(axis=1).min())
        raise ValueError(f"each resample must hold items of every language; one language has only {worst} items")
    return result


def _by_seed(
    gold: Integers, predicted: Integers, classes: int, score: Score, item_counts: NDArray[np.float32]
) -> Array:
    """(seeds, resamples) scores of one language; `item_counts` (items, resamples)."""
    seeds, resamples = len(predicted), item_counts.shape[1]
    column = np.where(predicted < 0, classes, predicted)
    answered = (column[:, None, :] == np.arange(classes + 1)[:, None]).astype(item_counts.dtype)
    scores = np.empty((seeds, resamples))
    step = max(1, _COUNTS_AT_ONCE // (seeds * classes * (classes + 1)))
    for start in range(0, resamples, step):
        part = item_counts[:, start : start + step]
        tables = np.empty((part.shape[1], seeds, classes, classes + 1))
        for label in range(classes):
            is_gold = gold == label
            tables[:, :, label] = np.moveaxis(answered[..., is_gold] @ part[is_gold], -1, 0)
        scores[:, start : start + step] = score(tables).T
    return scores


def _labels(values: ArrayLike, name: str, classes: int) -> Integers:
    array = np.asarray(values)
    if array.ndim == 0 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be a non-empty array of integers, got {array.dtype} of shape {array.shape}")
    outside = array[(array < -1) | (array >= classes)]
    if outside.size:
        raise ValueError(f"{name} must hold classes 0 to {classes - 1} or -1, got {outside[0]}")
    return array.astype(np.int64)


def _right(table: Array) -> Array:
    return np.diagonal(table, axis1=-2, axis2=-1)
