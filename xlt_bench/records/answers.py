"""A Sheet: the predictions of one run as two small arrays, languages x items.

Predictions are texts, one row an item: right for a file, slow for arithmetic. Boards, packs and the index have Sheets.
What a Sheet says of the items (the ItemLayout) is the same for most runs of a task, and is shared among them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.record import Predictions

Classes = NDArray[np.signedinteger[Any]]
"""Positions of classes: one byte each where that is enough."""
ABSENT = -1


def class_kind(labels: int) -> np.dtype[np.signedinteger[Any]]:
    """The type of arrays of classes, of which there are so many."""
    return np.dtype(np.int8 if labels <= np.iinfo(np.int8).max else np.int16)


@dataclass(frozen=True, eq=False)
class ItemLayout:
    """Which items a run answered, and their gold classes.

    Attributes:
        codes, items: languages and item ids, in order of their first appearance.
        clusters: the cluster of each item; empty where each item is a cluster of its own.
        labels: the task's classes, in its order.
        gold: (languages, items) positions in `labels`, -1 where the language lacks the item.
        order: (rows,) positions in the flattened (languages, items), in the order of the answers' file; None where that
            is language by language, each one's items in the order of all. Items that only some languages have make
            another order.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    labels: tuple[str, ...]
    gold: Classes
    order: NDArray[np.intp] | None = None

    @cached_property
    def key(self) -> str:
        """Hash of all of it; equal layouts have equal keys."""
        names = repr((self.codes, self.items, self.clusters, self.labels)).encode()
        order = b"" if self.order is None else self.order.astype(np.int64).tobytes()
        return hashlib.sha256(names + self.gold.astype(np.int16).tobytes() + order).hexdigest()

    @property
    def rows(self) -> NDArray[np.intp]:
        """(rows,) positions in the flattened (languages, items), in the order of the answers' file."""
        return np.flatnonzero(self.gold != ABSENT) if self.order is None else self.order


@dataclass(frozen=True, eq=False)
class Sheet:
    """Gold and predicted classes of one run.

    Attributes:
        layout: the items and their gold classes.
        extra_labels: names that answers give beside the task's classes, sorted.
        predicted: (languages, items) positions in `labels`; -1 where the language lacks the item, or the answer names
            no class.
    """

    layout: ItemLayout
    extra_labels: tuple[str, ...]
    predicted: Classes

    @property
    def codes(self) -> tuple[str, ...]:
        """Languages, in order of their first appearance."""
        return self.layout.codes

    @property
    def items(self) -> tuple[str, ...]:
        """Item ids, in order of their first appearance."""
        return self.layout.items

    @property
    def clusters(self) -> tuple[str, ...]:
        """The cluster of each item; empty where each item is a cluster of its own."""
        return self.layout.clusters

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names: those of the task in its order, then any other that was predicted, sorted."""
        return self.layout.labels + self.extra_labels

    @property
    def gold(self) -> Classes:
        """(languages, items) positions in `labels`, -1 where the language lacks the item."""
        return self.layout.gold

    @property
    def classes(self) -> int:
        """How many of `labels` are the task's."""
        return len(self.layout.labels)

    @property
    def correct(self) -> NDArray[np.int8]:
        """(languages, items): 1 right, 0 wrong, -1 where the language lacks the item."""
        return np.where(self.gold == ABSENT, ABSENT, self.gold == self.predicted).astype(np.int8)

    def answers_outside(self) -> tuple[int, tuple[str, ...]]:
        """How many answers name no class of the task, and the names that they give instead, if any."""
        if not self.extra_labels and self.predicted.min() > ABSENT:
            return 0, ()
        outside = (self.gold != ABSENT) & ((self.predicted == ABSENT) | (self.predicted >= self.classes))
        return int(outside.sum()), self.extra_labels

    def predictions(self) -> Predictions:
        """Predictions that have this Sheet, in the order of the file."""
        rows, columns = np.divmod(self.layout.rows, len(self.items))
        codes, items, labels = (np.array([*names, ""], object) for names in (self.codes, self.items, self.labels))
        return Predictions(
            language=codes[rows],
            item_id=items[columns],
            gold=labels[self.gold[rows, columns]],
            predicted=labels[self.predicted[rows, columns]],  # -1: the last, which is empty
            cluster=np.array(self.clusters, object)[columns] if self.clusters else None,
        )


@dataclass(frozen=True)
class TextColumn:
    """Texts of which many are equal.

    Attributes:
        values: the distinct texts.
        indices: (rows,) positions in `values`.
    """

    values: tuple[str, ...]
    indices: NDArray[np.int32]

    @staticmethod
    def of(texts: NDArray[np.object_]) -> TextColumn:
        """From texts (rows,)."""
        positions: dict[str, int] = {}
        indices = np.array([positions.setdefault(text, len(positions)) for text in texts.tolist()], np.int32)
        return TextColumn(tuple(positions), indices)

    def texts(self) -> NDArray[np.object_]:
        """(rows,) the texts; equal ones are one object."""
        return np.array([*self.values, None], object)[self.indices]

    def in_order(self) -> TextColumn:
        """With the values that occur, in the order of their first appearance."""
        occurring, first, inverse = np.unique(self.indices, return_index=True, return_inverse=True)
        order = np.argsort(first)
        position = np.empty(len(order), np.int32)
        position[order] = np.arange(len(order), dtype=np.int32)
        return TextColumn(tuple(self.values[index] for index in occurring[order]), position[inverse])


@dataclass(frozen=True)
class PlacedItems:
    """Where the rows of a file of predictions lie in a ItemLayout.

    Attributes:
        places: (rows,) positions in the flattened (languages, items); None where the rows are just those, in order.
        item_hash: see `Predictions.item_hash`.
    """

    layout: ItemLayout
    places: NDArray[np.intp] | None
    item_hash: str

    def sheet(self, predicted: TextColumn) -> Sheet:
        """The Sheet of the answers (rows,) to these items."""
        layout = self.layout
        occurring = {predicted.values[index] for index in np.flatnonzero(np.bincount(predicted.indices)).tolist()}
        extra_labels = tuple(sorted(occurring - set(layout.labels) - {""}))
        positions = {"": ABSENT} | {label: place for place, label in enumerate(layout.labels + extra_labels)}
        kind = class_kind(len(positions))
        # a value that does not occur has no position, and needs none
        answers = np.array([positions.get(label, ABSENT) for label in predicted.values], kind)[predicted.indices]
        if self.places is None:
            return Sheet(layout, extra_labels, answers.reshape(layout.gold.shape))
        by_item = np.full(layout.gold.size, ABSENT, kind)
        by_item[self.places] = answers
        return Sheet(layout, extra_labels, by_item.reshape(layout.gold.shape))


def place_items(
    language: TextColumn, item_id: TextColumn, gold: TextColumn, cluster: TextColumn | None, labels: Sequence[str]
) -> PlacedItems:
    """The items that rows (rows,) of predictions are of.

    Args:
        labels: the task's classes.

    Raises:
        ValueError: no rows, an item that a language has twice or that is of two clusters, or a gold label that is no
            class of the task.
    """
    if not len(language.indices):
        raise ValueError("there are no predictions")
    codes, items, classes = language.in_order(), item_id.in_order(), gold.in_order()
    foreign = sorted(set(classes.values) - set(labels))
    if foreign:
        raise ValueError(f"gold label '{foreign[0]}' is none of the task's classes ({', '.join(labels) or 'none'})")
    shape = (len(codes.values), len(items.values))
    places = codes.indices.astype(np.intp) * shape[1] + items.indices
    if len(np.unique(places)) != len(places):
        raise ValueError(_twice(language, item_id))
    positions = {label: place for place, label in enumerate(labels)}
    by_item = np.full(shape[0] * shape[1], ABSENT, class_kind(len(labels)))
    by_item[places] = np.array([positions[label] for label in classes.values])[classes.indices]
    gold_texts = gold.texts()
    answered = Predictions(
        language.texts(), item_id.texts(), gold_texts, gold_texts, None if cluster is None else cluster.texts()
    )
    order = None if bool((np.diff(places) > 0).all()) else places
    layout = ItemLayout(codes.values, items.values, _clusters(answered), tuple(labels), by_item.reshape(shape), order)
    is_whole = len(places) == len(by_item) and order is None
    return PlacedItems(layout, None if is_whole else places, answered.item_hash())


def sheet_of(predictions: Predictions, labels: Sequence[str]) -> Sheet:
    """Predictions as a Sheet.

    Args:
        labels: the task's classes.

    Raises:
        ValueError: as `place_items`.
    """
    items = place_items(
        TextColumn.of(predictions.language),
        TextColumn.of(predictions.item_id),
        TextColumn.of(predictions.gold),
        None if predictions.cluster is None else TextColumn.of(predictions.cluster),
        labels,
    )
    return items.sheet(TextColumn.of(predictions.predicted))


def _clusters(predictions: Predictions) -> tuple[str, ...]:
    """The cluster of each item, in order of the items' first appearance; empty where there are none."""
    if predictions.cluster is None:
        return ()
    clusters: dict[str, str] = {}
    for item, cluster in zip(predictions.item_id.tolist(), predictions.cluster.tolist(), strict=True):
        if clusters.setdefault(item, cluster) != cluster:
            raise ValueError(f"item '{item}' is in two clusters, '{clusters[item]}' and '{cluster}'")
    return tuple(clusters.values())


def _twice(language: TextColumn, item_id: TextColumn) -> str:
    pairs = Counter(zip(language.texts().tolist(), item_id.texts().tolist(), strict=True))
    (code, item), _ = pairs.most_common(1)[0]
    return f"item '{item}' of {code} is there twice"
