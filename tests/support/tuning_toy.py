"""A task of files, and a method whose accuracy follows from what is tuned."""

from __future__ import annotations

from pathlib import Path

CODES = ("eng_Latn", "deu_Latn", "zul_Latn")

TASK = """
labels = ["no", "yes"]
languages = ["eng_Latn", "deu_Latn", "zul_Latn"]
[columns]
id = "id"
"""

METHOD = '''
"""Right on the first round(20 * quality) of 20 items, the best where strength is 3; refuses what it must not see."""
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
import numpy as np
from xlt_bench.method import FitSummary

class Fitted:
    summary = FitSummary(trainable_parameters=1)
    def __init__(self, quality):
        self.quality = quality
    def predict(self, examples):
        number = np.array([int(example.text.rpartition(" ")[2]) for example in examples])
        gold = number % 2
        right = number < round(20 * self.quality)
        return np.eye(2, dtype=np.float32)[np.where(right, gold, 1 - gold)]
    def save(self, folder):
        (folder / "quality").write_text(str(self.quality))

@dataclass(frozen=True)
class Plugin:
    uses_backbone: ClassVar[bool] = False
    tunes: ClassVar = ("strength",)
    strength: float = 1.0
    size: int = 5
    def fit(self, train, dev, context):
        with open("fits.txt", "a") as told:
            told.write(f"{context.seed} {self.strength:g}\\n")
        BODY
        seen = {example.language for example in (*train.examples, *dev.examples)}
        assert seen == {"eng_Latn", "deu_Latn"}, seen
        assert not any(example.id.startswith("test") for example in (*train.examples, *dev.examples))
        return Fitted(1.0 - 0.5 * abs(np.log10(self.strength / 3.0)))
    def load(self, folder, context):
        return Fitted(float((folder / "quality").read_text()))
'''


def write_task(folder: Path) -> None:
    """20 items of two classes in each split of three languages."""
    for code in CODES:
        for split in ("train", "dev", "test"):
            path = folder / code / f"{split}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = (f"{split}-{i}\t{('no', 'yes')[i % 2]}\triver {i}" for i in range(20))
            path.write_text("\n".join(["id\tlabel\ttext", *rows]) + "\n", encoding="utf-8")
    (folder / "task.toml").write_text(TASK, encoding="utf-8")


def write_method(body: str = "pass", **changes: str) -> str:
    """The method in a file of the current folder, its reference; `body` runs at the beginning of every fit."""
    text = METHOD.replace("BODY", body)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    Path("plugin.py").write_text(text, encoding="utf-8")
    return "plugin.py:Plugin"


def fits() -> list[str]:
    """Seed and strength of every fit so far."""
    path = Path("fits.txt")
    return path.read_text().splitlines() if path.exists() else []
