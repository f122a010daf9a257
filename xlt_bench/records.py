"""A Record: one run's predictions and manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xlt_bench.plan import Cell

SCHEMA_VERSION = 1
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
    status: Literal["complete", "failed"]
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
        """The inverse of `as_json`; raises KeyError or TypeError on what is no Record."""
        fields = {name: plain[name] for name in Record.__dataclass_fields__ if name in plain}
        fields["cell"] = Cell.from_json(plain["cell"])
        fields["groups"] = {name: tuple(codes) for name, codes in plain["groups"].items()}
        fields["pack"] = tuple(plain["pack"])
        return Record(**fields)
