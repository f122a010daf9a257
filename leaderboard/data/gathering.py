"""What can be compared: the runs of one task, checked against each other and brought to the same languages and items.

Each run claims which test items a language has and what their gold classes are. All runs of one task hash must claim
the same. Where one differs from the rest it is named and left out; who is right is known from the task's own list where
there is one (`witness`), else the majority decides, and between equals the first in order of fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xlt_bench.errors import StoreError
from xlt_bench.records.answers import ABSENT, Classes, Sheet
from xlt_bench.records.record import Record

LoadSheet = Callable[[Record], Sheet]
"""The Sheet of a complete per-item Record; StoreError or ValueError where it cannot be had."""

Gold = Mapping[str, Mapping[str, str]]
"""Language -> item id -> class: what a task is known to hold."""

_NAMED = 3  # languages that a line about a skipped Record names


@dataclass(frozen=True)
class Items:
    """The languages, items and gold classes that the runs of a task agree on.

    Attributes:
        codes, items, labels: sorted.
        gold: (languages, items) positions in `labels`, -1 where a language lacks the item.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    labels: tuple[str, ...]
    gold: Classes

    def chance(self) -> dict[str, float]:
        """For each language, the accuracy of always answering the class that is most frequent over all languages."""
        present = self.gold != ABSENT
        if not present.any():
            return {}
        most = np.bincount(self.gold[present]).argmax()
        share = (self.gold == most).sum(axis=1) / np.maximum(1, present.sum(axis=1))
        return {code: float(value) for code, value in zip(self.codes, share, strict=True)}


@dataclass(frozen=True)
class Gathered:
    """Runs that agree, by fingerprint of their Record.

    Attributes:
        right: (languages, items) of `items`: 1 right, 0 wrong, -1 no such item, or a language without predictions.
        remarks: by fingerprint, what a reader should know of a run's answers.
        skipped: one line for each Record that was left out.
    """

    items: Items
    right: Mapping[str, NDArray[np.int8]]
    remarks: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


def gather(records: Sequence[Record], load: LoadSheet, witness: Gold | None = None) -> Gathered:
    """Load the runs of one task hash, leaving out those that cannot be read or do not agree with the rest.

    Args:
        records: complete ones with evidence per_item.
        load: see `LoadSheet`.
        witness: what the task is known to hold, where that can be told without loading it.
    """
    sheets: dict[str, Sheet] = {}
    skipped = []
    for record in records:
        try:
            sheets[record.cell.fingerprint] = load(record)
        except (StoreError, ValueError) as error:
            skipped.append(f"{named(record)}: {error}")
    places = _Places(list(sheets.values()), witness or {})
    claimed = {key: places.gold_of(sheet) for key, sheet in sheets.items()}
    agreed, wrong = _agreed(places, claimed, witness or {})
    by_key = {record.cell.fingerprint: record for record in records if record.cell.fingerprint in wrong}
    skipped += [
        f"{named(by_key[key])}: its items or gold labels are not the task's in {_few(codes)}"
        for key, codes in wrong.items()
    ]
    kept = {key: sheet for key, sheet in sheets.items() if key not in wrong}
    items = Items(places.codes, places.items, places.labels, agreed)
    remarks = {key: remark for key, sheet in kept.items() if (remark := _remark(sheet))}
    return Gathered(items, {key: places.right_of(sheet) for key, sheet in kept.items()}, remarks, tuple(skipped))


def named(record: Record) -> str:
    """How a line about one Record calls it."""
    return f"Record {record.cell.fingerprint} ({record.label}, seed {record.cell.seed})"


class _Places:
    """Where the languages, items and classes of each Sheet lie among those of all Sheets."""

    def __init__(self, sheets: Sequence[Sheet], witness: Gold) -> None:
        ids = {item for gold in witness.values() for item in gold}
        classes = {label for gold in witness.values() for label in gold.values()}
        self.codes = tuple(sorted(set(witness).union(*(sheet.codes for sheet in sheets))))
        self.items = tuple(sorted(ids.union(*{sheet.items for sheet in sheets})))
        self.labels = tuple(sorted(classes.union(*(sheet.labels[: sheet.classes] for sheet in sheets))))
        self._codes, self._items = _at(self.codes), _at(self.items)
        self.label_at = _at(self.labels)
        self._known: dict[tuple[str, ...], NDArray[np.intp]] = {}

    def gold_of(self, sheet: Sheet) -> tuple[NDArray[np.intp], Classes]:
        """Which languages a Sheet has, and its gold classes (those languages, all items)."""
        at = np.array([*(self.label_at[label] for label in sheet.labels[: sheet.classes]), ABSENT], np.int16)
        gold = np.full((len(sheet.codes), len(self.items)), ABSENT, np.int16)
        gold[:, self._item_places(sheet)] = at[sheet.gold]
        return self._language_places(sheet), gold

    def right_of(self, sheet: Sheet) -> NDArray[np.int8]:
        """A Sheet's answers, (all languages, all items)."""
        right = np.full((len(self.codes), len(self.items)), ABSENT, np.int8)
        right[np.ix_(self._language_places(sheet), self._item_places(sheet))] = sheet.correct
        return right

    def gold_as_known(self, code: str, witness: Gold) -> Classes:
        """The gold classes (all items) that the task is known to have in a language."""
        gold = np.full(len(self.items), ABSENT, np.int16)
        for item, label in witness[code].items():
            gold[self._items[item]] = self.label_at[label]
        return gold

    def _language_places(self, sheet: Sheet) -> NDArray[np.intp]:
        return self._remembered(sheet.codes, self._codes)

    def _item_places(self, sheet: Sheet) -> NDArray[np.intp]:
        return self._remembered(sheet.items, self._items)

    def _remembered(self, names: tuple[str, ...], at: Mapping[str, int]) -> NDArray[np.intp]:
        if names not in self._known:  # most Sheets have the same languages and items
            self._known[names] = np.array([at[name] for name in names], np.intp)
        return self._known[names]


def _agreed(
    places: _Places, claimed: Mapping[str, tuple[NDArray[np.intp], Classes]], witness: Gold
) -> tuple[Classes, dict[str, list[str]]]:
    """The gold classes of each language, and by fingerprint the languages in which a run claims others."""
    votes: dict[int, Counter[bytes]] = {}
    for key in sorted(claimed):
        for language, row in zip(claimed[key][0].tolist(), claimed[key][1], strict=True):
            votes.setdefault(language, Counter())[row.tobytes()] += 1
    agreed = np.full((len(places.codes), len(places.items)), ABSENT, np.int16)
    for language, code in enumerate(places.codes):
        if code in witness:
            agreed[language] = places.gold_as_known(code, witness)
        else:  # the first of the most frequent: a Counter keeps the order of insertion
            agreed[language] = np.frombuffer(votes[language].most_common(1)[0][0], np.int16)
    wrong: dict[str, list[str]] = {}
    for key, (languages, gold) in claimed.items():
        differing = (gold != agreed[languages]).any(axis=1)
        if differing.any():
            wrong[key] = [places.codes[language] for language in languages[differing]]
    return agreed, wrong


def _remark(sheet: Sheet) -> str | None:
    count, names = sheet.answers_outside()
    if not count:
        return None
    told = f" (such as '{names[0]}')" if names else ""
    total = int((sheet.gold != ABSENT).sum())
    return f"{count:,} of {total:,} answers name no class of the task{told} and count as wrong."


def _at(names: Sequence[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(names)}


def _few(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - _NAMED} more languages" if len(codes) > _NAMED else ""
    return ", ".join(codes[:_NAMED]) + more
