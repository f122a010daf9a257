"""Predictions of many languages on the same items, as small text: a line a language, a character an item.

The character is the position of the class in SIB-200's labels, `-` where no class was named. The items and their gold
classes are those of `data/sib200-test-items.csv`, in its order. Text rather than Parquet: it is read in a moment, its
bytes depend on no library's version, and a change shows in a diff.
"""

from __future__ import annotations

import numpy as np

from xlt_bench.baselines.tables import read_columns
from xlt_bench.records.answers import ABSENT, ItemLayout, Sheet
from xlt_bench.records.record import Predictions
from xlt_bench.tasks.sib200 import LABELS
from xlt_bench.tasks.sib200.articles import article_clusters

NOTHING = "-"
ITEMS_FILE = "sib200-test-items.csv"
_CHARACTERS = {**{label: str(position) for position, label in enumerate(LABELS)}, "": NOTHING}


def test_items() -> dict[str, str]:
    """Id of each test item of SIB-200 -> its class, in the order of the data set."""
    return dict(read_columns(ITEMS_FILE)["gold"])


def pack(predictions: Predictions) -> dict[str, str]:
    """Language -> characters; the items of each language must come in the order of `test_items`."""
    lines: dict[str, list[str]] = {}
    for language, predicted in zip(predictions.language, predictions.predicted, strict=True):
        lines.setdefault(language, []).append(_CHARACTERS[predicted])
    return {language: "".join(characters) for language, characters in lines.items()}


def read_sheet(name: str) -> Sheet:
    """The predictions of a file in `data`, in its order of languages."""
    items, lines = test_items(), read_columns(name)["predicted"]
    clusters = article_clusters(items)
    gold = np.array([LABELS.index(label) for label in items.values()], np.int8)
    layout = ItemLayout(
        codes=tuple(lines),
        items=tuple(items),
        clusters=tuple(clusters[item] for item in items),
        labels=LABELS,
        gold=np.tile(gold, (len(lines), 1)),
    )
    classes = np.full(128, ABSENT, np.int8)  # by code of the character
    classes[[ord(str(position)) for position in range(len(LABELS))]] = range(len(LABELS))
    characters = np.frombuffer("".join(lines.values()).encode("ascii"), np.uint8)
    return Sheet(layout, (), classes[characters].reshape(layout.gold.shape))
