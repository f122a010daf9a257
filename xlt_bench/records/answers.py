"""A Sheet: the predictions of one run as two small arrays, languages x items, and its cache file.

Predictions are texts, one row an item: right for a file, slow for arithmetic. A board of 200 Records reads Sheets. The
cache lies beside the predictions, holds the hash of the very file it was made from, and is made again when that or
anything else about it is wrong.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.record import Predictions, Record

Classes = NDArray[np.int16]
ABSENT = -1
_LAYOUT = "sheet 2"


@dataclass(frozen=True)
class Sheet:
    """Gold and predicted classes of one run.

    Attributes:
        codes, items: languages and item ids, in order of their first appearance.
        clusters: the cluster of each item; empty where each item is a cluster of its own.
        labels: class names: those of the task in its order, then any other that was predicted, sorted.
        gold: (languages, items) positions in `labels`, -1 where the language lacks the item.
        predicted: likewise; -1 also where an answer names no class.
        classes: how many of `labels` are the task's.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    clusters: tuple[str, ...]
    labels: tuple[str, ...]
    gold: Classes
    predicted: Classes
    classes: int

    @property
    def correct(self) -> NDArray[np.int8]:
        """(languages, items): 1 right, 0 wrong, -1 where the language lacks the item."""
        return np.where(self.gold == ABSENT, ABSENT, self.gold == self.predicted).astype(np.int8)

    def answers_outside(self) -> tuple[int, tuple[str, ...]]:
        """How many answers name no class of the task, and the names that they give instead, if any."""
        outside = (self.gold != ABSENT) & ((self.predicted == ABSENT) | (self.predicted >= self.classes))
        return int(outside.sum()), self.labels[self.classes :]


def sheet_of(predictions: Predictions, classes: Sequence[str]) -> Sheet:
    """Predictions as a Sheet.

    Args:
        classes: of the task.

    Raises:
        ValueError: no rows, an item that a language has twice or that is of two clusters, or a gold label that is no
            class of the task.
    """
    if not len(predictions):
        raise ValueError("there are no predictions")
    codes, rows = _positions(predictions.language)
    items, columns = _positions(predictions.item_id)
    foreign = sorted(set(predictions.gold.tolist()) - set(classes))
    if foreign:
        raise ValueError(f"gold label '{foreign[0]}' is none of the task's classes ({', '.join(classes) or 'none'})")
    labels = (*classes, *sorted(set(predictions.predicted.tolist()) - set(classes) - {""}))
    positions = {"": ABSENT} | {label: position for position, label in enumerate(labels)}
    gold = np.full((len(codes), len(items)), ABSENT, np.int16)
    predicted = gold.copy()
    present = np.zeros(gold.shape, bool)
    present[rows, columns] = True
    if present.sum() != len(predictions):
        raise ValueError(_twice(predictions))
    gold[rows, columns] = [positions[label] for label in predictions.gold.tolist()]
    predicted[rows, columns] = [positions[label] for label in predictions.predicted.tolist()]
    return Sheet(codes, items, _clusters(predictions), labels, gold, predicted, len(classes))


def read_cache(path: Path, source: str) -> Sheet | None:
    """The Sheet that was made from predictions of this identity; None without a whole cache of them."""
    try:
        with np.load(path, allow_pickle=False) as cache:
            if cache["source"].tolist() != [_LAYOUT, source]:
                return None
            names = ("codes", "items", "clusters", "labels")
            codes, items, clusters, labels = (tuple(cache[name].tolist()) for name in names)
            sheet = Sheet(codes, items, clusters, labels, cache["gold"], cache["predicted"], int(cache["classes"]))
    except Exception:  # whatever is wrong with a cache, it is made again
        return None
    return sheet if _whole(sheet) else None


def write_cache(path: Path, source: str, sheet: Sheet) -> None:
    """Keep a Sheet; where the folder cannot be written, the next reader computes it again."""
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with draft.open("wb") as file:
            np.savez(
                file,
                source=np.array([_LAYOUT, source]),
                codes=np.array(sheet.codes),
                items=np.array(sheet.items),
                clusters=np.array(sheet.clusters, np.str_),
                labels=np.array(sheet.labels),
                gold=sheet.gold,
                predicted=sheet.predicted,
                classes=np.array(sheet.classes),
            )
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)


def identity(content: bytes, record: Record) -> str:
    """What a cached Sheet is of: the bytes of the predictions' file, and what the manifest says of them."""
    return " ".join([hashlib.sha256(content).hexdigest(), str(record.item_hash), *map(repr, record.labels)])


def _whole(sheet: Sheet) -> bool:
    shape = (len(sheet.codes), len(sheet.items))
    arrays = (sheet.gold, sheet.predicted)
    return len(sheet.clusters) in (0, len(sheet.items)) and all(
        array.shape == shape and array.dtype == np.int16 and array.size and -1 <= array.min() <= array.max() < count
        for array, count in zip(arrays, (sheet.classes, len(sheet.labels)), strict=True)
    )


def _clusters(predictions: Predictions) -> tuple[str, ...]:
    """The cluster of each item, in order of the items' first appearance; empty where there are none."""
    if predictions.cluster is None:
        return ()
    clusters: dict[str, str] = {}
    for item, cluster in zip(predictions.item_id.tolist(), predictions.cluster.tolist(), strict=True):
        if clusters.setdefault(item, cluster) != cluster:
            raise ValueError(f"item '{item}' is in two clusters, '{clusters[item]}' and '{cluster}'")
    return tuple(clusters.values())


def _positions(texts: NDArray[np.object_]) -> tuple[tuple[str, ...], list[int]]:
    first: dict[str, int] = {}
    positions = [first.setdefault(text, len(first)) for text in texts.tolist()]
    return tuple(first), positions


def _twice(predictions: Predictions) -> str:
    pairs = Counter(zip(predictions.language.tolist(), predictions.item_id.tolist(), strict=True))
    (language, item), _ = pairs.most_common(1)[0]
    return f"item '{item}' of {language} is there twice"
