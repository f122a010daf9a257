"""The one toy task of all tests: six languages, three classes, texts of which one word tells the class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from xlt_bench.conformance import toy
from xlt_bench.task import SPLITS, Example, Labelled, Language, Split, Task, TaskInfo

CODES = ("eng_Latn", "deu_Latn", "fra_Latn", "kat_Geor", "tha_Thai", "swh_Latn")
LABELS = toy.LABELS[:3]
GROUPS = {
    "joshi5": frozenset(CODES[:3]),
    "seen": frozenset(CODES[:4]),
    "all": frozenset(CODES),
    "unseen": frozenset(CODES[4:]),
}
COUNTS: Mapping[Split, int] = {"train": 18, "dev": 9, "test": 12}
"""Items of each split of a language, evenly over the classes."""

LABEL_WORDS = "\n".join(["[eng_Latn]", *(f'{label} = ["{label}", "{label}s"]' for label in LABELS)])
"""A file of words for the classes."""


@cache
def part(code: str, split: Split, count: int | None = None) -> Labelled:
    """One split of one language: ids `test0`, `test1`, and so on, of classes 0, 1, 2, 0, ... in every language."""
    drawn = toy.items(count or COUNTS[split], 100 * SPLITS.index(split) + CODES.index(code), [code], labels=LABELS)
    rank_in_class = [np.count_nonzero(drawn.gold[:row] == drawn.gold[row]) for row in range(len(drawn))]
    ordered = drawn.take(np.lexsort((drawn.gold, rank_in_class)))
    examples = (example._replace(id=f"{split}{number}") for number, example in enumerate(ordered.examples))
    return Labelled(tuple(examples), ordered.gold)


def toy_task() -> Task:
    """The task in memory."""
    languages = {code: Language(code, code, code[4:], "family", 5 if code in CODES[:3] else 1) for code in CODES}
    return Task("toy", LABELS, languages, {code: {split: part(code, split) for split in SPLITS} for code in CODES})


def all_examples() -> tuple[Example, ...]:
    """All test items, language by language."""
    return toy_task().pool(CODES, "test").examples


def toy_info(backbone: str) -> TaskInfo:
    """What is known of the task before it is loaded, with this backbone as its default."""

    def groups(name: str) -> Mapping[str, frozenset[str]]:
        return GROUPS

    return TaskInfo("toy", "a toy", backbone, "cldr", 3, lambda folder: toy_task(), groups)


def write_package(folder: Path, backbone: str) -> Path:
    """Write a package that offers the task, as an installer would: a module and its metadata. The folder, for the path.

    Args:
        folder: becomes a folder for `sys.path` or PYTHONPATH.
        backbone: the task's default backbone.
    """
    metadata = folder / "xlt_toy-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: xlt-toy\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[xlt_bench.tasks]\ntoy = xlt_toy:INFO\n", encoding="utf-8")
    code = f"from tests.support.toy import toy_info\n\nINFO = toy_info({backbone!r})\n"
    (folder / "xlt_toy.py").write_text(code, encoding="utf-8")
    return folder


def write_files(folder: Path, counts: Mapping[Split, int] = COUNTS) -> Path:
    """Write the task as a user's own files, with these numbers of items; the folder, for `--task`."""
    for code in CODES:
        for split in SPLITS:
            items = part(code, split, counts[split])
            pairs = zip(items.examples, items.gold, strict=True)
            rows = (f"{example.id}\t{LABELS[label]}\t{example.text}" for example, label in pairs)
            path = folder / code / f"{split}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(["id\tlabel\ttext", *rows]) + "\n", encoding="utf-8")
    toml = f'labels = {list(LABELS)}\nlanguages = {list(CODES)}\n\n[columns]\nid = "id"\n'
    (folder / "task.toml").write_text(toml, encoding="utf-8")
    return folder
