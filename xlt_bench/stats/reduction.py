"""From answers per seed, language and item to one score per seed and cluster of items."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Booleans, Integers, at_least, scores


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


def reduce(y: ArrayLike, languages: Sequence[str] | None = None, clusters: Sequence[Hashable] | None = None) -> Array:
    """Mean over a fixed group of languages, kept apart by seed and by cluster of items.

    With every item in every language this is the plain mean over languages. An item missing in some languages enters
    through its deviation from the mean of each language that has it:

        X[s, i] = mu + I * sum over languages l that have i of (y[s, l, i] - mu_l) / (L * n_l)

    with mu_l the language's mean over its seeds and items, n_l its number of items, mu the plain mean of the mu_l, L
    the number of languages and I the number of items that occur in at least one language. So each row's mean is that
    seed's macro-average over languages, and the variance formulas for balanced data hold. (Averaging over whichever
    languages have an item would be biased: what languages lack differs in difficulty from what they have.)

    Items that belong together (sentences of one article, hypotheses of one premise) are summed to one score:

        Z[s, c] = mu + C / I * sum over items i of cluster c of (X[s, i] - mu)

    with C the number of clusters. The mean of a row stays, whatever the sizes of the clusters, and var_c(Z) / C is the
    cluster-robust variance of the mean, C / (C - 1) * sum_c(sum_i (X_i - mean))^2 / I^2 (Liang & Zeger 1986). Every
    function of this folder that takes scores (seeds, clusters) so takes clusters for what is drawn at random.

    Args:
        y: (seeds, languages, items) scores, usually 0 or 1 for wrong or right; NaN where a language does not have the
            item, the same items in every seed.
        languages: names, used in error messages only.
        clusters: (items,) label of the cluster that each item belongs to. Default: each item is a cluster of its own.

    Returns:
        (seeds, clusters) scores in the unit of `y`, clusters in the order of their first items. Items that no language
        has are dropped: see `occurring`.

    Raises:
        ValueError: wrong shape, infinite values, a language without items, or one that lacks other items in one seed
            than in another; an item without a label, another number of labels than of items, or one cluster only.
    """
    answers = _answers(y)
    present = _presence(answers, languages)
    is_present = np.asarray(present.any(axis=0))
    answers, present = answers[:, :, is_present], present[:, is_present]
    seeds, group, items = answers.shape
    counts = present.sum(axis=1)
    filled = np.where(present, answers, 0.0)
    by_language = filled.sum(axis=(0, 2)) / (seeds * counts)
    deviations = np.where(present, answers - by_language[:, None], 0.0)
    weights = items / (group * counts)
    reduced: Array = by_language.mean() + np.einsum("sli,l->si", deviations, weights)
    if clusters is None:
        return reduced
    return sum_by_cluster(reduced, cluster_numbers(clusters, is_present))


def by_cluster(x: ArrayLike, clusters: Sequence[Hashable]) -> Array:
    """The step from items to clusters of `reduce` alone.

    Args:
        x: (seeds, items) scores, e.g. means over languages that all have every item.
        clusters: (items,) labels.

    Returns:
        (seeds, clusters) scores in the order of the clusters' first items; each row's mean stays.

    Raises:
        ValueError: as `reduce` says of clusters, or scores of wrong shape or that are not finite.
    """
    by_item = scores(x)
    return sum_by_cluster(by_item, cluster_numbers(clusters, np.ones(by_item.shape[1], dtype=bool)))


def sum_by_cluster(by_item: Array, cluster_of_item: Integers) -> Array:
    """`by_cluster` of scores (seeds, items) where the numbers of clusters (items,) are those of `cluster_numbers`."""
    count, mean = int(cluster_of_item.max()) + 1, by_item.mean()
    sums = np.zeros((count, len(by_item)))
    np.add.at(sums, cluster_of_item, (by_item - mean).T)
    return np.asarray(mean + sums.T * (count / by_item.shape[1]))


def cluster_numbers(clusters: Sequence[Hashable], is_present: Booleans) -> Integers:
    """For each item that is `is_present`, the number of its cluster: 0, 1, ... in the order of first appearance.

    Args:
        clusters: (items,) labels.
        is_present: (items,) which items occur.

    Raises:
        ValueError: another number of labels than of items, an item without a label, or one cluster only.
    """
    if len(clusters) != len(is_present):
        raise ValueError(
            f"clusters must name the cluster of each of {len(is_present)} items, got {len(clusters)} labels"
        )
    labels = [label.item() if isinstance(label, np.generic) else label for label in clusters]
    unlabelled = [item for item, label in enumerate(labels) if label is None or label == "" or label != label]
    if unlabelled:
        raise ValueError(
            f"every item needs a cluster, but {len(unlabelled)} of {len(labels)} have none, item {unlabelled[0]} "
            "first; give an item that belongs to no other a label of its own"
        )
    occurring_labels = [label for label, occurs in zip(labels, is_present.tolist(), strict=True) if occurs]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(occurring_labels))}
    if len(numbers) == 1:
        raise ValueError(
            f"clusters must be at least 2, got 1: all {len(occurring_labels)} items belong to {occurring_labels[0]!r}"
        )
    return np.array([numbers[label] for label in occurring_labels], dtype=np.int64)


def _answers(y: ArrayLike) -> Array:
    answers = np.asarray(y, dtype=np.float64)
    if answers.ndim != 3 or answers.size == 0:
        raise ValueError(f"y must have the non-empty axes (seeds, languages, items), got shape {answers.shape}")
    if np.isinf(answers).any():
        raise ValueError("y must be finite (NaN: the language does not have the item), got an infinite value")
    return answers


def _presence(answers: Array, languages: Sequence[str] | None) -> Booleans:
    """(languages, items): which items each language has, once that is sure to be the same in every seed."""
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
