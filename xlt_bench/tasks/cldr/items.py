"""The shipped list of items, and the texts that an installed babel gives for it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import NamedTuple

from xlt_bench.task import SPLITS, Split
from xlt_bench.tasks.cldr.names import ENGLISH, Item, names_of, translated, without_train_texts
from xlt_bench.tasks.tables import read_table

PACKAGE = "xlt_bench.tasks.cldr"
Texts = Mapping[str, Mapping[Item, str]]  # language code -> item -> name
_SPLIT: Mapping[str, Split] = {split: split for split in SPLITS}


class ListedItem(NamedTuple):
    """A line of items.tsv. `hash` covers the item's text in every language of the task that has it."""

    class_name: str
    key: str
    split: Split
    hash: str


def listed_items() -> list[ListedItem]:
    """The items of the task, ordered by class and key."""
    return [_listed(row) for row in read_table(PACKAGE, "items.tsv")]


def texts_of(locales: Mapping[str, str], items: Collection[Item]) -> dict[str, dict[Item, str]]:
    """The items' names in each language (`locales`: code -> babel locale), both dropping rules applied."""
    chosen = frozenset(items)
    english = _only(names_of(ENGLISH), chosen)
    return {code: _texts(locale, chosen, english) for code, locale in locales.items()}


def hash_of(item: Item, texts: Texts) -> str:
    """Twelve hexadecimal digits over the item's text in every language that has it, whatever their order."""
    present = ((code, names[item]) for code, names in sorted(texts.items()) if item in names)
    return hashlib.sha256("\x1e".join(f"{code}\x1f{text}" for code, text in present).encode()).hexdigest()[:12]


def _texts(locale: str, chosen: Collection[Item], english: Mapping[Item, str]) -> dict[Item, str]:
    names = _only(names_of(locale), chosen)
    return without_train_texts(names if locale == ENGLISH else translated(names, english))


def _only(names: Mapping[Item, str], chosen: Collection[Item]) -> dict[Item, str]:
    return {item: text for item, text in names.items() if item in chosen}


def _listed(row: dict[str, str]) -> ListedItem:
    return ListedItem(row["class"], row["key"], _SPLIT[row["split"]], row["hash"])
