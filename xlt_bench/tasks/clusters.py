"""Clusters of test items: items of one article, or with one premise, are not independent of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def linked(features: Mapping[str, Iterable[object]]) -> dict[str, str]:
    """The finest clusters in which items that share a feature are together, directly or through others.

    A feature may be another one in each language (the premise of a pair, in translation): the language is then part of
    it, and the item, which is the same in all languages, links them.

    Args:
        features: item id -> what it may share with other items.

    Returns:
        Item id -> cluster, named by its first item; empty where no two items share anything.
    """
    parent = {item: item for item in features}

    def root(item: str) -> str:
        while parent[item] != item:
            parent[item] = parent[parent[item]]  # halves the path, so that long chains stay quick
            item = parent[item]
        return item

    first: dict[object, str] = {}
    order = {item: position for position, item in enumerate(features)}
    for item, shared in features.items():
        for feature in shared:
            earlier, later = sorted((root(first.setdefault(feature, item)), root(item)), key=order.__getitem__)
            parent[later] = earlier
    clusters = {item: root(item) for item in features}
    return clusters if any(item != cluster for item, cluster in clusters.items()) else {}


def neighbours(numbers: Mapping[str, int], distance: int) -> dict[str, str]:
    """Clusters of items whose numbers follow each other by at most `distance`.

    Args:
        numbers: item id -> its number in a source that was numbered in order, as sentences of articles are.

    Returns:
        As `linked`.
    """
    ascending = sorted(numbers, key=lambda item: numbers[item])
    clusters: dict[str, str] = {}
    for position, item in enumerate(ascending):
        previous = ascending[position - 1] if position else item
        near = position > 0 and numbers[item] - numbers[previous] <= distance
        clusters[item] = clusters[previous] if near else item
    return clusters if len(set(clusters.values())) < len(clusters) else {}
