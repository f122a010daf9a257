"""Folders of translations, as a user hands in those of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.toy import toy_task
from xlt_bench.task import SPLITS, Split, Task

TARGETS = ("kat_Geor", "tha_Thai")


def write_translations(
    folder: Path, addition: str = "", task: Task | None = None, targets: Sequence[str] = TARGETS
) -> Path:
    """`<code>/<split>.tsv` with the English item of the same place and further words; the folder."""
    task = task or toy_task()
    for code in targets:
        for split in SPLITS:
            pairs = zip(task.split(code, split).examples, task.split("eng_Latn", split).examples, strict=True)
            lines = [f"{example.id.removeprefix(f'{code}:')}\t{english.text}{addition}" for example, english in pairs]
            write_lines(folder, code, split, ["id\ttext", *lines])
    return folder


def write_lines(folder: Path, code: str, split: Split, lines: Sequence[str]) -> Path:
    """One file of such a folder; its path."""
    path = folder / code / f"{split}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
