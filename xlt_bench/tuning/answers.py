"""Answers of a trial to the sources' dev items: their accuracy with its standard error, and the file of each fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt_bench.errors import StoreError
from xlt_bench.io import atomic
from xlt_bench.records.answers import ABSENT
from xlt_bench.stats import reduce, two_way, two_way_difference

_SCHEMA = 1
_MARKS = {"0": 0, "1": 1, "-": ABSENT}


@dataclass(frozen=True)
class Answers:
    """What one fit answers to the sources' dev items.

    Attributes:
        codes, items: languages and item ids.
        right: (languages, items): 1 right, 0 wrong, -1 where the language lacks the item.
    """

    codes: tuple[str, ...]
    items: tuple[str, ...]
    right: NDArray[np.int8]


@dataclass(frozen=True)
class Score:
    """Source-dev accuracy in [0, 1], the plain mean over languages, with its standard error over items and seeds.

    `error` is None where there is one item only.
    """

    accuracy: float
    error: float | None


def score(fits: Sequence[Answers]) -> Score:
    """The score of a trial, whose fits differ in their seed."""
    x = _reduced(fits)
    return Score(float(x.mean()), float(np.sqrt(two_way(x).variance)) if x.shape[1] > 1 else None)


def difference(fits: Sequence[Answers], others: Sequence[Answers]) -> Score:
    """The score of one trial less that of another, items paired."""
    a, b = _reduced(fits), _reduced(others)
    error = float(np.sqrt(two_way_difference(a, b).variance)) if a.shape[1] > 1 else None
    return Score(float(a.mean() - b.mean()), error)


class KeptAnswers:
    """One small JSON file a fit, there whole or not at all; an unreadable one counts as absent.

    Args:
        folder: made at the first write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Answers | str | None:
        """The answers of a fit, why it failed, or None where it was not made."""
        try:
            plain = json.loads(self._path(key).read_text(encoding="utf-8"))
            if plain["schema"] != _SCHEMA:
                return None
            if plain["failed"] is not None:
                return str(plain["failed"])
            right = [[_MARKS[mark] for mark in row] for row in plain["right"]]
            found = Answers(tuple(plain["codes"]), tuple(plain["items"]), np.asarray(right, np.int8))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if found.right.shape == (len(found.codes), len(found.items)) else None

    def keep(self, key: str, made: Answers | str) -> None:
        """Keep answers, or why there are none.

        Raises:
            StoreError: the disk does not take it.
        """
        plain: dict[str, object] = {"schema": _SCHEMA, "failed": made if isinstance(made, str) else None}
        if isinstance(made, Answers):
            marks = {value: mark for mark, value in _MARKS.items()}
            right = ["".join(marks[value] for value in row) for row in made.right.tolist()]
            plain |= {"codes": made.codes, "items": made.items, "right": right}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            atomic.replace_file(self._path(key), json.dumps(plain, ensure_ascii=False) + "\n")
        except OSError as error:
            raise StoreError(
                f"the trial {self._path(key)} cannot be written: {error.strerror or error}; give another --store"
            ) from error

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def _reduced(fits: Sequence[Answers]) -> NDArray[np.float64]:
    """(seeds, items) scores; see `xlt_bench.stats.reduce`."""
    right = np.stack([fit.right for fit in fits]).astype(np.float64)
    right[right == ABSENT] = np.nan
    return reduce(right, fits[0].codes)
