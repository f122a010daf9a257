"""Cells, predictions and Records of the toy task, made without fitting anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.toy import CODES, LABELS
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store


def cell(**changes: Any) -> Cell:
    """A zero-shot cell of the toy task; `changes` are its fields."""
    usual = Cell(
        task="toy",
        task_hash="t" * 16,
        backbone="nano",
        backbone_hash="b" * 16,
        method="xpe",
        hyperparameters={"n_tokens": 20, "learning_rate": None},
        preset="cldr",
        recipe={"batch_size": 32},
        sources=CODES[:3],
        protocol="zero-shot",
        targets=CODES[3:],
        precision="fp32",
        seed=0,
    )
    return replace(usual, **changes)


def predictions(targets: Sequence[str] = CODES[3:], items: int = 10, right: float = 0.5, seed: int = 0) -> Predictions:
    """`items` items in every language, except that the last language lacks the last two."""
    pairs = [(code, f"i{i}") for code in targets for i in range(items - 2 * (code == CODES[-1]))]
    gold = np.asarray([LABELS[int(item[1:]) % 2] for _, item in pairs], object)
    wrong = np.where(gold == LABELS[0], LABELS[1], LABELS[0])
    hit = np.random.default_rng(seed).random(len(pairs)) < right
    language, item = (np.asarray(list(column), object) for column in zip(*pairs, strict=True))
    return Predictions(language, item, gold, np.where(hit, gold, wrong).astype(object))


def record(
    answers: Predictions | None = None, *, label: str = "xpe", error: str | None = None, **changes: Any
) -> Record:
    """A Record of these answers, a failed one without any; `changes` are fields of the cell or of the Record."""
    of_cell = {name: value for name, value in changes.items() if name in Cell.__dataclass_fields__}
    usual = Record(
        cell=cell(**of_cell),
        label=label,
        sources_label="joshi5",
        groups={"others": CODES[3:], "unseen": CODES[4:]},
        labels=LABELS,
        status="failed" if answers is None else "complete",
        error=error,
        accuracy={} if answers is None else answers.accuracy(),
        item_hash=None if answers is None else answers.item_hash(),
    )
    return replace(usual, **{name: value for name, value in changes.items() if name not in of_cell})


def comparable(manifest: dict[str, Any]) -> dict[str, Any]:
    """A Record as JSON without what no two runs have alike: times, memory, and the state of the repository.

    The last changes when somebody edits or commits a file while the tests run.
    """
    volatile = {name: manifest.pop(name) for name in ("timing", "created", "peak_memory_bytes")}
    assert all(volatile.values()), volatile
    environment = {name: fact for name, fact in manifest["environment"].items() if name != "commit"}
    return {**manifest, "environment": environment}


def manifests(store: Path) -> dict[str, dict[str, Any]]:
    """The Records of a store by fingerprint, as far as they can be compared; none is damaged."""
    records, damaged = Store(store).records()
    assert not damaged
    return {record.cell.fingerprint: comparable(record.as_json()) for record in records}
