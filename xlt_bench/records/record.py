"""A Record: one run's predictions and manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.cell import Cell, Protocol
from xlt_bench.records.labels import derived_label

SCHEMA_VERSION = 3
Status = Literal["complete", "failed"]
Evidence = Literal["per_item", "per_language", "aggregate"]


@dataclass(frozen=True)
class Predictions:
    """One row an item: arrays of the same length, texts as objects.

    Attributes:
        language, item_id, gold, predicted: shape (rows,), str; gold and predicted are class names.
        cluster: shape (rows,), str: the cluster of each item; None where each item is a cluster of its own.
    """

    language: NDArray[np.object_]
    item_id: NDArray[np.object_]
    gold: NDArray[np.object_]
    predicted: NDArray[np.object_]
    cluster: NDArray[np.object_] | None = None

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

    def clustered(self, clusters: Mapping[str, str]) -> Predictions:
        """With the cluster of each item, from a map as `Task.clusters` has it."""
        if not clusters:
            return replace(self, cluster=None)
        return replace(self, cluster=np.array([clusters[item] for item in self.item_id.tolist()], object))

    def item_hash(self) -> str:
        """Identity of the items, in their order: 16 hex digits over languages, item ids and clusters."""
        items = self.language + "\x1e" + self.item_id
        texts = "\x1f".join(items if self.cluster is None else items + "\x1e" + self.cluster)
        return hashlib.sha256(texts.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Record:
    """One run, as it lies in the store.

    Attributes:
        cell: what was run.
        label: how the method calls itself with these hyper-parameters; of others' results, the system.
        sources_label: how a table names the sources.
        defaults: what was usual for the method when it ran, see `xlt_bench.records.labels.derived_label`.
        given_label: the name that a user gave to the row; it lies beside the Records, see `xlt_bench.records.labels`.
        groups: target group as shown -> its language codes.
        labels: the task's classes, whatever its test items have; empty where there are no answers to single items.
        status: `complete`, or `failed` with `error`.
        evidence: what is known: answers to single items, figures by language, or means of groups only.
        origin: where the numbers come from, `xlt-bench run` or a citation.
        accuracy: by language, in [0, 1].
        macro_f1: likewise, where it was computed (`xlt-bench rescore`).
        selected_on: which data chose the checkpoint, `source dev`, `target dev` or `nothing`.
        fit: trainable parameters, steps, selected step, dev history, as the method says.
        counted: what the harness counted of the run, see `xlt_bench.runs.counting.Effort`; of a fit on the sources that
            it adapts from, with `source_` before the name. `budget_steps` and `budget_examples` are what the recipe
            has; they lack where a method has no recipe.
        timing: seconds of fit and predict, and examples a second.
        environment: versions, device, host-independent facts that may change numbers.
        setting: how a system of others was used, such as `zero-shot prompt`; empty for our own runs, whose protocol and
            backbone say it.
        source, licence, caveats: of others' results: where they were published, under which terms, what to know.
        group_accuracy: published means in [0, 1] by name of a group in `groups`, for aggregate evidence.
        runs: how many runs a published figure averages, None where that is not said.
        tuning: of a tuned setting: all trials with their source-dev accuracies, see `xlt_bench.tuning`.
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
    counted: Mapping[str, int] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    peak_memory_bytes: int | None = None
    pack: tuple[int, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    macro_f1: Mapping[str, float] = field(default_factory=dict)
    setting: str = ""
    source: str = ""
    licence: str = ""
    caveats: tuple[str, ...] = ()
    group_accuracy: Mapping[str, float] = field(default_factory=dict)
    runs: int | None = None
    tuning: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    given_label: str = field(default="", compare=False)

    @property
    def row_label(self) -> str:
        """The name of its row: the user's, else the one that follows from the cell and the defaults."""
        return self.given_label or derived_label(self.cell, self.label, self.defaults)

    @property
    def complete(self) -> bool:
        """Whether it holds predictions."""
        return self.status == "complete"

    @property
    def has_answers(self) -> bool:
        """Whether answers to single items lie with it."""
        return self.complete and self.evidence == "per_item"

    @property
    def reason(self) -> str:
        """Why a run failed, in one line."""
        return next(iter((self.error or "").splitlines()), "no reason given")

    def group_means(self) -> dict[str, float]:
        """Accuracy in [0, 1] by target group: the mean over the group's languages that it has."""
        values = {
            group: [self.accuracy[code] for code in codes if code in self.accuracy]
            for group, codes in self.groups.items()
        }
        return {group: sum(scores) / len(scores) for group, scores in values.items() if scores}

    def as_json(self) -> dict[str, Any]:
        """The content of `record.json`."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["cell"] = self.cell.as_json()
        plain["groups"] = {name: list(codes) for name, codes in self.groups.items()}
        plain["caveats"], plain["labels"] = list(self.caveats), list(self.labels)
        plain["accuracy"], plain["macro_f1"] = dict(self.accuracy), dict(self.macro_f1)
        del plain["given_label"]
        return {
            "schema_version": SCHEMA_VERSION,
            "fingerprint": self.cell.fingerprint,
            "configuration": self.cell.configuration,
            **plain,
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Record:
        """The inverse of `as_json`; raises KeyError, ValueError or TypeError on what is no Record."""
        values = {name: plain[name] for name in Record.__dataclass_fields__ if name in plain}
        values |= {name: read(plain[name]) for name, read in FIELD_READERS.items()}
        record = Record(**{**values, "cell": Cell.from_json(plain["cell"])})
        _check_fields(record)
        return record

    @staticmethod
    def of_checked(cell: Cell, values: Mapping[str, Any]) -> Record:
        """A Record of which the fields were checked before, made as quickly as `Cell.of_known_identity`.

        Args:
            values: of every field but the cell and `given_label`.
        """
        record = object.__new__(Record)
        vars(record).update(values, cell=cell, given_label="")
        return record


def _read_groups(plain: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(codes) for name, codes in plain.items()}


FIELD_READERS: Mapping[str, Callable[[Any], Any]] = {
    "groups": _read_groups,
    "pack": tuple,
    "caveats": tuple,
    "labels": tuple,
}
"""Fields of a Record that JSON holds in another form -> what makes the field of it; all of them must be there."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "label": (str,),
    "sources_label": (str,),
    "origin": (str,),
    "error": (str, type(None)),
    "accuracy": (dict,),
    "item_hash": (str, type(None)),
    "selected_on": (str,),
    "fit": (dict,),
    "counted": (dict,),
    "timing": (dict,),
    "environment": (dict,),
    "created": (str,),
    "macro_f1": (dict,),
    "setting": (str,),
    "source": (str,),
    "licence": (str,),
    "group_accuracy": (dict,),
    "runs": (int, type(None)),
    "tuning": (dict,),
    "defaults": (dict,),
}


def _check_cell(cell: Cell) -> None:
    if type(cell.seed) is not int or not cell.targets:
        raise ValueError("its cell has no seed or no targets")
    if cell.protocol not in get_args(Protocol):
        raise ValueError(f"protocol is {cell.protocol!r}, none of {', '.join(get_args(Protocol))}")
    texts = (cell.task, cell.task_hash, cell.backbone, cell.backbone_hash, cell.method, *cell.sources, *cell.targets)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("its cell holds something else than texts")
    prompt = cell.prompt
    if prompt is not None and not (isinstance(prompt, dict) and {"template", "demonstrations"} <= prompt.keys()):
        raise TypeError(f"the prompt of its cell is {prompt!r}")


def _check_fields(record: Record) -> None:
    """Refuse values that no Record can have, so that nobody who reads one has to reckon with them."""
    for name, kinds in _KINDS.items():
        if not isinstance(getattr(record, name), kinds):
            raise TypeError(f"{name} is {getattr(record, name)!r}")
    for name, choices in (("status", get_args(Status)), ("evidence", get_args(Evidence))):
        if getattr(record, name) not in choices:
            raise ValueError(f"{name} is {getattr(record, name)!r}, none of {', '.join(choices)}")
    _check_cell(record.cell)
    if not all(isinstance(code, str) for codes in record.groups.values() for code in codes):
        raise TypeError("groups holds something else than language codes")
    for name in ("caveats", "labels"):
        if not all(isinstance(text, str) for text in getattr(record, name)):
            raise TypeError(f"{name} holds something else than texts")
    if not all(type(count) is int for count in record.counted.values()):
        raise TypeError("counted holds something else than whole numbers")
    for name in ("accuracy", "macro_f1", "group_accuracy"):
        if not all(isinstance(value, float | int) and 0.0 <= value <= 1.0 for value in getattr(record, name).values()):
            raise ValueError(f"a value of {name} lies outside [0, 1]")
