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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.record import Predictions

Classes = NDArray[np.int16]
ABSENT = -1
_LAYOUT = "sheet 1"


@dataclass(frozen=True)
class Sheet:
    """Gold and predicted classes of one run.

    Attributes:
        codes, items: languages and item ids, in order of their first appearance.
        labels: class names, those of the gold labels and then any other that was predicted; each part sorted.
        gold: (languages, items) positions in `labels`, -1 where the language lacks the item.
        predicted: likewise; -1 also where an answer names no class.
        gold_labels: how many of `labels` are gold.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    labels: tuple[str, ...]
    gold: Classes
    predicted: Classes
    gold_labels: int

    @property
    def correct(self) -> NDArray[np.int8]:
        """(languages, items): 1 right, 0 wrong, -1 where the language lacks the item."""
        return np.where(self.gold == ABSENT, ABSENT, self.gold == self.predicted).astype(np.int8)

    def answers_outside(self) -> tuple[int, tuple[str, ...]]:
        """How many answers name no class of the task, and the names that they give instead, if any."""
        outside = (self.gold != ABSENT) & ((self.predicted == ABSENT) | (self.predicted >= self.gold_labels))
        return int(outside.sum()), self.labels[self.gold_labels :]


def sheet_of(predictions: Predictions) -> Sheet:
    """Predictions as a Sheet.

    Raises:
        ValueError: no rows, or an item that a language has twice.
    """
    if not len(predictions):
        raise ValueError("there are no predictions")
    codes, rows = _positions(predictions.language)
    items, columns = _positions(predictions.item_id)
    known, given = set(predictions.gold.tolist()), set(predictions.predicted.tolist())
    labels = (*sorted(known), *sorted(given - known - {""}))
    at = {label: position for position, label in enumerate(labels)}
    if "" not in known:
        at[""] = ABSENT
    gold = np.full((len(codes), len(items)), ABSENT, np.int16)
    predicted = gold.copy()
    taken = np.zeros(gold.shape, bool)
    taken[rows, columns] = True
    if taken.sum() != len(predictions):
        raise ValueError(_twice(predictions))
    gold[rows, columns] = [at[label] for label in predictions.gold.tolist()]
    predicted[rows, columns] = [at[label] for label in predictions.predicted.tolist()]
    return Sheet(codes, items, labels, gold, predicted, len(known))


def read_cache(path: Path, source: str) -> Sheet | None:
    """The Sheet that was made from predictions of this identity; None without a whole cache of them."""
    try:
        with np.load(path, allow_pickle=False) as held:
            if held["source"].tolist() != [_LAYOUT, source]:
                return None
            codes, items, labels = (tuple(held[name].tolist()) for name in ("codes", "items", "labels"))
            sheet = Sheet(codes, items, labels, held["gold"], held["predicted"], int(held["gold_labels"]))
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
                labels=np.array(sheet.labels),
                gold=sheet.gold,
                predicted=sheet.predicted,
                gold_labels=np.array(sheet.gold_labels),
            )
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)


def identity(content: bytes, item_hash: str | None) -> str:
    """What a cached Sheet is of: the bytes of the predictions' file, and the items that the manifest speaks of."""
    return f"{hashlib.sha256(content).hexdigest()} {item_hash}"


def _whole(sheet: Sheet) -> bool:
    shape = (len(sheet.codes), len(sheet.items))
    arrays = (sheet.gold, sheet.predicted)
    return all(
        array.shape == shape and array.dtype == np.int16 and array.size and -1 <= array.min() <= array.max() < count
        for array, count in zip(arrays, (sheet.gold_labels, len(sheet.labels)), strict=True)
    )


def _positions(texts: NDArray[np.object_]) -> tuple[tuple[str, ...], list[int]]:
    at: dict[str, int] = {}
    positions = [at.setdefault(text, len(at)) for text in texts.tolist()]
    return tuple(at), positions


def _twice(predictions: Predictions) -> str:
    pairs = Counter(zip(predictions.language.tolist(), predictions.item_id.tolist(), strict=True))
    (language, item), _ = pairs.most_common(1)[0]
    return f"item '{item}' of {language} is there twice"
