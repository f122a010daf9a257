"""Names in one language, as babel's copy of CLDR has them, and the two rules that drop some of them."""

from __future__ import annotations

import pickle
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel import localedata

from xlt_bench.tasks.cldr.split import split_of

FIELDS = {"territory": "territories", "language": "languages", "currency": "currency_names"}
ENGLISH = "en"

Item = tuple[str, str]  # class, key


def names_of(locale: str) -> dict[Item, str]:
    """Every name of the four classes that this locale has itself (nothing inherited), empty ones left out."""
    data = locale_data(locale)
    names = {(label, key): text for label, field in FIELDS.items() for key, text in data.get(field, {}).items()}
    for key, forms in data.get("unit_display_names", {}).items():
        if isinstance(forms, dict) and "long" in forms:
            names["unit", key] = forms["long"]
    return {item: text for item, text in names.items() if text.strip()}


def locale_data(locale: str) -> dict[str, Any]:
    """What `babel.localedata.load(locale, merge_inherited=False)` reads from babel's own package, without its cache.

    That cache is keyed by the locale alone: a locale that anything in this process loaded with inheritance would come
    back merged, and one loaded here without it would be wrong for everybody else. A locale that babel lacks is empty.
    """
    path = Path(localedata.resolve_locale_filename(locale))
    if not path.is_file():
        return {}
    with path.open("rb") as stream:
        data: dict[str, Any] = pickle.load(stream)
    return data


def translated(names: Mapping[Item, str], english: Mapping[Item, str]) -> dict[Item, str]:
    """The names that somebody translated: not equal to the English one after `folded`."""
    return {item: text for item, text in names.items() if folded(text) != folded(english.get(item, ""))}


def without_train_texts(names: Mapping[Item, str]) -> dict[Item, str]:
    """The names less those of dev and test whose text, after `folded`, is also a train text of this language."""
    train = {folded(text) for item, text in names.items() if split_of(*item) == "train"}
    return {item: text for item, text in names.items() if split_of(*item) == "train" or folded(text) not in train}


def folded(text: str) -> str:
    """Unicode NFC, case-folded, without white space around it."""
    return unicodedata.normalize("NFC", text).casefold().strip()
