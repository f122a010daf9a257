"""From answers per seed, language and item to one score per seed and item."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Booleans, at_least


def occurring(y: ArrayLike) -> Booleans:
    """Which items at least one language of the group has.

    Args:
        y: (seeds, languages, items) scores; NaN where a language does not have the item.

    Returns:
        (items,) booleans; `reduce` keeps exactly these items, in the same order.

    Raises:
        ValueError: wrong shape, infinite values, or a language whose missing items differ between seeds.
    """
    return np.asarray(_presence(_answers(y), None).any(axis=0))


def reduce(y: ArrayLike, languages: Sequence[str] | None = None) -> Array:
    """Mean over a fixed group of languages, kept apart by seed and by item.

    With every item in every language this is the plain mean over languages. An item missing in some languages enters
    through its deviation from the mean of each language that has it:

        X[s, i] = mu + I * sum over languages l that have i of (y[s, l, i] - mu_l) / (L * n_l)

    with mu_l the language's mean over its seeds and items, n_l its number of items, mu the plain mean of the mu_l, L
    the number of languages and I the number of items that occur in at least one language. So each row's mean is that
    seed's macro-average over languages, and the variance formulas for balanced data hold. (Averaging over whichever
    languages have an item would be biased: what languages lack differs in difficulty from what they have.)

    Args:
        y: (seeds, languages, items) scores, usually 0 or 1 for wrong or right; NaN where a language does not have the
            item, the same items in every seed.
        languages: names, used in error messages only.

    Returns:
        (seeds, items that occur) scores in the unit of `y`. Items that no language has are dropped: see `occurring`.

    Raises:
        ValueError: wrong shape, infinite values, a language without items, or one that lacks other items in one seed
            than in another.
    """
    answers = _answers(y)
    present = _presence(answers, languages)
    kept = present.any(axis=0)
    answers, present = answers[:, :, kept], present[:, kept]
    seeds, group, items = answers.shape
    counts = present.sum(axis=1)
    filled = np.where(present, answers, 0.0)
    by_language = filled.sum(axis=(0, 2)) / (seeds * counts)
    deviations = np.where(present, answers - by_language[:, None], 0.0)
    weights = items / (group * counts)
    reduced: Array = by_language.mean() + np.einsum("sli,l->si", deviations, weights)
    return reduced


def _answers(y: ArrayLike) -> Array:
    answers = np.asarray(y, dtype=np.float64)
    if answers.ndim != 3 or answers.size == 0:
        raise ValueError(f"y must have the non-empty axes (seeds, languages, items), got shape {answers.shape}")
    if np.isinf(answers).any():
        raise ValueError("y must be finite (NaN: the language does not have the item), got an infinite value")
    return answers


def _presence(answers: Array, languages: Sequence[str] | None) -> Booleans:
    """(languages, items): which items each language has, once that is known to be the same in every seed."""
    if languages is not None and len(languages) != answers.shape[1]:
        raise ValueError(f"y has {answers.shape[1]} languages, but {len(languages)} names were given")
    names = [str(i) for i in range(answers.shape[1])] if languages is None else languages
    present = ~np.isnan(answers)
    differing = np.argwhere((present != present[0]).any(axis=2))
    if differing.size:
        seed, language = differing[0]
        raise ValueError(f"language {names[language]} must lack the same items in every seed, but seed {seed} differs")
    for name, count in zip(names, present[0].sum(axis=1), strict=True):
        at_least(int(count), 1, f"items of language {name}")
    shared: Booleans = present[0]
    return shared
