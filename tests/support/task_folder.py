"""A small task of files, as a user would bring it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlt_bench.task import SPLITS, Split, Task
from xlt_bench.tasks.files import toml_task

CODES = ("eng_Latn", "deu_Latn", "zul_Latn")
LABELS = ("negative", "positive")
COUNTS: dict[Split, int] = {"train": 8, "dev": 4, "test": 6}
HEADER = "id\tlabel\ttext"
TOML = """
labels = ["negative", "positive"]
languages = ["eng_Latn", "deu_Latn", "zul_Latn"]

[columns]
id = "id"
"""


def rows_of(code: str, split: Split) -> list[str]:
    """Lines of a file without its header; item i is of class i % 2."""
    return [f"{split}{i}\t{LABELS[i % 2]}\ttext {i} of {code}" for i in range(COUNTS[split])]


def write(folder: Path, code: str, split: Split, lines: Sequence[str]) -> Path:
    """A file of tab-separated lines."""
    path = folder / code / f"{split}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_task(folder: Path, toml: str = TOML) -> Path:
    """`task.toml` and the files of three languages."""
    for code in CODES:
        for split in SPLITS:
            write(folder, code, split, [HEADER, *rows_of(code, split)])
    path = folder / "task.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def load(folder: Path, toml: str | None = None) -> Task:
    """The task of a folder, whose `task.toml` says this instead."""
    if toml is not None:
        (folder / "task.toml").write_text(toml, encoding="utf-8")
    return toml_task(folder / "task.toml").load(None)


def columns(text: str) -> str:
    """TOML with other lines on columns."""
    return TOML.replace('id = "id"', text)
