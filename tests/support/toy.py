"""A toy task of six languages, cells and predictions of it, and how to run a command in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import ROOT
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Predictions, Record
from xlt_bench.task import SPLITS, Example, Labelled, Language, Split, Task, TaskInfo

CODES = ("eng_Latn", "deu_Latn", "fra_Latn", "kat_Geor", "tha_Thai", "swh_Latn")
LABELS = ("place", "money")
GROUPS = {
    "joshi5": frozenset(CODES[:3]),
    "seen": frozenset(CODES[:4]),
    "all": frozenset(CODES),
    "unseen": frozenset(CODES[4:]),
}
WORDS = (("river", "lake", "city", "village"), ("euro", "dollar", "peso", "german"))


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


def toy_task() -> Task:
    languages = {code: Language(code, code, code[4:], "family", 5 if code in CODES[:3] else 1) for code in CODES}
    return Task("toy", LABELS, languages, {code: {split: _part(code, split) for split in SPLITS} for code in CODES})


def _part(code: str, split: Split) -> Labelled:
    count = {"train": 16, "dev": 8, "test": 10}[split]
    gold = np.arange(count) % 2
    examples = (Example(f"{split}{i}", code, f"{WORDS[i % 2][i // 2 % 4]} {code[:3]} {i}") for i in range(count))
    return Labelled(tuple(examples), gold)


def toy_info(backbone: str) -> TaskInfo:
    def groups(name: str) -> Mapping[str, frozenset[str]]:
        return GROUPS

    return TaskInfo("toy", "a toy", backbone, "cldr", 3, lambda folder: toy_task(), groups)


def cell(**changes: Any) -> Cell:
    usual: dict[str, Any] = {
        "task": "toy",
        "task_hash": "t" * 16,
        "backbone": "nano",
        "backbone_hash": "b" * 16,
        "method": "xpe",
        "hyperparameters": {"n_tokens": 20, "learning_rate": None},
        "preset": "cldr",
        "recipe": {"batch_size": 32},
        "sources": CODES[:3],
        "protocol": "zero-shot",
        "targets": CODES[3:],
        "precision": "fp32",
        "seed": 0,
    }
    return Cell(**(usual | changes))


def predictions(targets: Sequence[str] = CODES[3:], items: int = 10, right: float = 0.5, seed: int = 0) -> Predictions:
    """`items` items in every language, except that the last language lacks the last two."""
    pairs = [(code, f"i{i}") for code in targets for i in range(items - 2 * (code == CODES[-1]))]
    gold = np.asarray([LABELS[int(item[1:]) % 2] for _, item in pairs], object)
    wrong = np.where(gold == LABELS[0], *LABELS[::-1])
    hit = np.random.default_rng(seed).random(len(pairs)) < right
    language, item = (np.asarray(list(column), object) for column in zip(*pairs, strict=True))
    return Predictions(language, item, gold, np.where(hit, gold, wrong).astype(object))


def record(found: Predictions | None = None, *, label: str = "xpe", error: str | None = None, **changes: Any) -> Record:
    own = cell(**changes)
    return Record(
        cell=own,
        label=label,
        sources_label="joshi5",
        groups={"others": CODES[3:], "unseen": CODES[4:]},
        labels=LABELS,
        status="complete" if found is not None else "failed",
        error=error,
        accuracy={} if found is None else found.accuracy(),
        item_hash=None if found is None else found.item_hash(),
    )


def process_environment(**changes: str) -> dict[str, str]:
    """Of a command in a process of its own: one thread, no network, output as into a pipe of 80 columns."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COLUMNS", "FORCE_COLOR"))}
    return kept | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "COLUMNS": "80", "PYTHONPATH": str(ROOT), **changes}


def write_plugin(folder: Path, body: str, name: str = "plugin.py") -> str:
    """A method in a file, its reference; `body` may use `examples`, `seed`, `self` and numpy, and returns scores."""
    path = folder / name
    indented = "\n".join(f"        {line}" for line in body.splitlines())
    path.write_text(_PLUGIN.replace("        BODY", indented), encoding="utf-8")
    return f"{path}:Plugin"


_PLUGIN = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from xlt_bench.method import FitSummary

class Fitted:
    summary = FitSummary(trainable_parameters=np.int64(3))
    def __init__(self, seed):
        self.seed = seed
    def predict(self, examples):
        seed = self.seed
        BODY
    def save(self, folder):
        (folder / "weights.json").write_text(str(self.seed))

@dataclass(frozen=True)
class Plugin:
    uses_backbone: ClassVar[bool] = False
    strength: float = 1
    def fit(self, train, dev, context):
        return Fitted(context.seed)
    def load(self, folder, context):
        return Fitted(int((folder / "weights.json").read_text()))
"""
GOOD = "return np.tile(np.asarray([seed % 2, 1], np.float32), (len(examples), 1))"
