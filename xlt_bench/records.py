"""A Record: one run's predictions and manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xlt_bench.plan import Cell

SCHEMA_VERSION = 1
Status = Literal["complete", "failed"]
Evidence = Literal["per_item", "per_language", "aggregate"]


@dataclass(frozen=True)
class Predictions:
    """One row an item: arrays of the same length, texts as objects.

    Attributes:
        language, item_id, gold, predicted: shape (rows,), str; gold and predicted are class names.
    """

    language: NDArray[np.object_]
    item_id: NDArray[np.object_]
    gold: NDArray[np.object_]
    predicted: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.language)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Shape (rows,)."""
        return np.asarray(self.gold == self.predicted, bool)

    def accuracy(self) -> dict[str, float]:
        """Accuracy in [0, 1] by language, in order of appearance."""
        correct, language = self.correct, self.language
        return {str(code): float(correct[language == code].mean()) for code in dict.fromkeys(language)}

    def item_hash(self) -> str:
        """Identity of the items, in their order: 16 hex digits over languages and item ids."""
        texts = "\x1f".join(self.language + "\x1e" + self.item_id)
        return hashlib.sha256(texts.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Record:
    """One run, as it lies in the store.

    Attributes:
        cell: what was run.
        label, sources_label: how a table names method and sources.
        groups: target group as shown -> its language codes.
        status: `complete`, or `failed` with `error`.
        accuracy: by language, in [0, 1].
        selected_on: which data chose the checkpoint, `source dev`, `target dev` or `nothing`.
        fit: trainable parameters, steps, selected step, dev history.
        timing: seconds of fit and predict, and examples a second.
        environment: versions, device, host-independent facts that may change numbers.
    """

    cell: Cell
    label: str
    sources_label: str
    groups: Mapping[str, tuple[str, ...]]
    status: Status
    evidence: Evidence = "per_item"
    origin: str = "xlt-bench run"
    error: str | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict)
    item_hash: str | None = None
    selected_on: str = "nothing"
    fit: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    pack: tuple[int, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""

    @property
    def complete(self) -> bool:
        """Whether it holds predictions."""
        return self.status == "complete"

    def as_json(self) -> dict[str, Any]:
        """The content of `record.json`."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["cell"] = self.cell.as_json()
        plain["groups"] = {name: list(codes) for name, codes in self.groups.items()}
        return {
            "schema_version": SCHEMA_VERSION,
            "fingerprint": self.cell.fingerprint,
            "configuration": self.cell.configuration,
            **plain,
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Record:
        """The inverse of `as_json`; raises KeyError, ValueError or TypeError on what is no Record."""
        fields = {name: plain[name] for name in Record.__dataclass_fields__ if name in plain}
        fields["cell"] = Cell.from_json(plain["cell"])
        fields["groups"] = {name: tuple(codes) for name, codes in plain["groups"].items()}
        fields["pack"] = tuple(plain["pack"])
        record = Record(**fields)
        _check_fields(record)
        return record


_KINDS: Mapping[str, tuple[type, ...]] = {
    "label": (str,),
    "sources_label": (str,),
    "origin": (str,),
    "error": (str, type(None)),
    "accuracy": (dict,),
    "item_hash": (str, type(None)),
    "selected_on": (str,),
    "fit": (dict,),
    "timing": (dict,),
    "environment": (dict,),
    "created": (str,),
}


def _check_fields(record: Record) -> None:
    """Refuse values that no Record can have, so that nobody who reads one has to reckon with them."""
    for name, kinds in _KINDS.items():
        if not isinstance(getattr(record, name), kinds):
            raise TypeError(f"{name} is {getattr(record, name)!r}")
    for name, choices in (("status", get_args(Status)), ("evidence", get_args(Evidence))):
        if getattr(record, name) not in choices:
            raise ValueError(f"{name} is {getattr(record, name)!r}, none of {', '.join(choices)}")
    if type(record.cell.seed) is not int or not record.cell.targets:
        raise ValueError("its cell has no seed or no targets")
    if not all(isinstance(code, str) for codes in record.groups.values() for code in codes):
        raise TypeError("groups holds something else than language codes")
    if not all(isinstance(value, float | int) and 0.0 <= value <= 1.0 for value in record.accuracy.values()):
        raise ValueError("an accuracy lies outside [0, 1]")
