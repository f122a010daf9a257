"""A method of pure numpy that adapts, and writes down who called it: `calls.txt` in the folder where it runs.

It learns how often each word goes with each class; adapting adds the target's counts. It sleeps as many seconds as the
environment says (ADAPTING_SECONDS), which gives other processes, and signals, their moment.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.task import Example, Labelled

CALLS = Path("calls.txt")
WORKING = "working"
"""Begins the name of a file that is there while a process fits or adapts."""


class Counted:
    """Counts of (word, class) pairs."""

    def __init__(self, method: Adapting, counts: Counter[str], classes: int) -> None:
        self.method = method
        self.counts = counts
        self.classes = classes
        self.summary = FitSummary(trainable_parameters=len(counts), steps=1, selected_step=1)

    def predict(self, examples: Sequence[Example]) -> Scores:
        scores = [
            [sum(self.counts[f"{word} {c}"] for word in example.text.split()) for c in range(self.classes)]
            for example in examples
        ]
        return np.asarray(scores, np.float32)

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> Counted:
        (target,) = {example.language for example in (*train.examples, *dev.examples)}
        self.method.note("adapt", context.seed, f"{target} {len(train)} {len(dev)}")
        return Counted(self.method, self.counts + counted(train, context.seed), self.classes)

    def save(self, folder: Path) -> None:
        (folder / "counts.json").write_text(json.dumps(dict(self.counts)))


@dataclass(frozen=True)
class Adapting:
    """Word counts."""

    uses_backbone: ClassVar[bool] = False

    def note(self, call: str, seed: int, what: str) -> None:
        working = Path(f"{WORKING}-{os.getpid()}")
        working.touch()
        time.sleep(float(os.environ.get("ADAPTING_SECONDS", "0")))
        working.unlink()
        with CALLS.open("a") as file:
            file.write(f"{os.getpid()} {call} {seed} {what}\n")

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Counted:
        self.note("fit", context.seed, str(len({example.language for example in train.examples})))
        return Counted(self, counted(train, context.seed), len(context.labels))

    def load(self, folder: Path, context: Context) -> Counted:
        return Counted(self, Counter(json.loads((folder / "counts.json").read_text())), len(context.labels))


def counted(train: Labelled, seed: int) -> Counter[str]:
    """A seed sees its own half of the items."""
    kept = np.random.default_rng(seed).random(len(train)) < 0.5
    pairs = zip(train.examples, train.gold, kept, strict=True)
    return Counter(f"{word} {gold}" for example, gold, keep in pairs if keep for word in example.text.split())
