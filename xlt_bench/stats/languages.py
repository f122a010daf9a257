"""What if the languages were others: a bootstrap over families of languages, seeds and clusters of items.

Everywhere else languages are fixed and inference stops at them. Languages of one family are alike, so families are
drawn, not languages. With few families the interval says little, and that is the truth.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, at_least
from .bootstrap import Key, generator, inflation, resample_counts, seed_generators
from .reduction import cluster_numbers

_PRODUCTS_AT_ONCE = 4_000_000


def resampled_over_languages(
    ys: Sequence[ArrayLike],
    families: Sequence[str],
    *,
    clusters: Sequence[Hashable] | None = None,
    key: Key,
    resamples: int = 2_000,
    seed_keys: Sequence[Key] | None = None,
) -> list[Array]:
    """Means of several methods over resampled families, seeds and clusters; one draw of the former two for all methods.

    The mean is the plain one over the languages drawn. Deviations between families and between seeds are inflated by
    sqrt(n / (n - 1)), as `resampled_means` does for seeds.

    Args:
        ys: for each method (seeds, languages, items) scores; NaN where a language does not have the item.
        families: (languages,) the family of each.
        clusters: (items,) label of each item's cluster. Default: each item is a cluster of its own.
        key: what the draws of families and clusters follow from.
        resamples: number of resamples.
        seed_keys: as in `resampled_means`.

    Returns:
        For each method (resamples,) means.

    Raises:
        ValueError: shapes that do not fit, one family or one cluster only, or a language with so few items that a
            resample has none of them.
    """
    arrays = [np.asarray(y, dtype=np.float64) for y in ys]
    at_least(len(arrays), 1, "methods")
    at_least(resamples, 2, "resamples")
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 3 or arrays[0].shape[1] != len(families):
        raise ValueError(
            f"each method must have the axes (seeds, languages, items), with as many languages as families are named "
            f"({len(families)}), got shapes {[array.shape for array in arrays]}"
        )
    _, languages, items = arrays[0].shape
    family_of_language = np.unique(np.asarray(families), return_inverse=True)[1]
    count = int(family_of_language.max()) + 1
    at_least(count, 2, "families of languages")
    at_least(items, 2, "items")
    all_items = np.ones(items, dtype=bool)
    cluster_of_item = np.arange(items) if clusters is None else cluster_numbers(clusters, all_items)
    drawn = resample_counts(generator("items", key), int(cluster_of_item.max()) + 1, resamples)[cluster_of_item]
    family_counts = resample_counts(generator("families", key), count, resamples)[family_of_language]
    weights = family_counts / family_counts.sum(axis=0) - 1 / languages
    weights = 1 / languages + inflation(count) * weights
    generators = seed_generators(key, seed_keys, len(arrays))
    return [_weighted(y, drawn, weights, rng) for y, rng in zip(arrays, generators, strict=True)]


def _weighted(y: Array, item_counts: Array, language_weights: Array, rng: np.random.Generator) -> Array:
    """(resamples,) means; `item_counts` (items, resamples), `language_weights` (languages, resamples)."""
    seeds, languages, items = y.shape
    resamples = item_counts.shape[1]
    present = ~np.isnan(y[0])
    filled = np.where(present, y, 0.0).reshape(-1, items)
    seed_weights = resample_counts(rng, seeds, resamples) / seeds - 1 / seeds
    seed_weights = 1 / seeds + inflation(seeds) * seed_weights
    means = np.empty(resamples)
    step = max(1, _PRODUCTS_AT_ONCE // len(filled))
    for start in range(0, resamples, step):
        part = slice(start, start + step)
        totals = present @ item_counts[:, part]
        if not totals.all():
            raise ValueError(
                f"each resample must hold items of every language; one language has only {present.sum(axis=1).min()}"
            )
        scores = (filled @ item_counts[:, part]).reshape(seeds, languages, -1) / totals
        means[part] = np.einsum("slr,sr,lr->r", scores, seed_weights[:, part], language_weights[:, part])
    return means
