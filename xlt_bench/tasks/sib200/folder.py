"""SIB-200 from a folder of `<code>/{train,dev,test}.tsv`, every rule checked before anything is trained.

The files are tab-separated with the quoting of `csv` (a text with quotation marks is quoted, its marks doubled).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from xlt_bench.errors import DataError
from xlt_bench.io.paths import is_file, is_folder
from xlt_bench.io.separated import read_separated
from xlt_bench.task import SPLITS, Example, Labelled, Language, Split, Task
from xlt_bench.tasks.sib200.articles import article_clusters

COLUMNS = ["index_id", "category", "text"]
ORIGIN = "https://huggingface.co/datasets/Davlan/sib200"
FETCH = f"take the file from {ORIGIN} again"


@dataclass(frozen=True)
class FolderShape:
    """What a folder must hold. Items are parallel: ids and labels are those of `reference` in every language.

    `counts`: split -> items a language.
    """

    labels: tuple[str, ...]
    languages: Mapping[str, Language]
    counts: Mapping[Split, int]
    reference: str = "eng_Latn"


@dataclass(frozen=True)
class Rows:
    """The rows of one file, in its order; row i stands in line i + 2."""

    path: Path
    ids: list[str]
    categories: list[str]
    texts: list[str]


def read_folder(folder: Path, shape: FolderShape) -> Task:
    """The task from a folder that has the languages' folders in it or in its `data`.

    Raises:
        DataError: the first rule that is broken, with file and line and the way out.
    """
    root = find_root(folder, shape)
    reference = {split: read_rows(root / shape.reference / f"{split}.tsv", split, shape) for split in SPLITS}
    check_disjoint(reference)
    data = {code: _language_data(root / code, shape, reference) for code in shape.languages}
    return Task("sib200", shape.labels, shape.languages, data, article_clusters(reference["test"].ids))


def find_root(folder: Path, shape: FolderShape) -> Path:
    """The folder itself or its `data`, whichever has the languages' folders, none of their files missing."""
    hint = f"it must hold <code>/{{train,dev,test}}.tsv for {len(shape.languages)} languages, as at {ORIGIN}"
    if not is_folder(folder):
        raise DataError(f"no folder '{folder}'; {hint}")
    roots = [root for root in (folder, folder / "data") if any(is_folder(root / code) for code in shape.languages)]
    if not roots:
        raise DataError(f"'{folder}' is no folder of SIB-200; {hint}")
    files = [f"{code}/{split}.tsv" for code in shape.languages for split in SPLITS]
    missing = _by_folder(roots[0], [name for name in files if not is_file(roots[0] / name)])
    if missing:
        raise DataError(f"'{roots[0]}' lacks {_few(missing)}; {hint}")
    return roots[0]


def files_of(folder: Path, shape: FolderShape) -> list[Path]:
    """All files that `read_folder` reads, and the folder that decides where they lie; DataError as of `find_root`."""
    root = find_root(folder, shape)
    return [folder, *(root / code / f"{split}.tsv" for code in shape.languages for split in SPLITS)]


def read_rows(path: Path, split: Split, shape: FolderShape) -> Rows:
    """One file, its columns, labels, ids and texts checked, but not whether it is parallel to other languages."""
    lines = read_separated(path, _fault)
    if not lines or lines[0] != COLUMNS:
        raise _fault(path, 1, f"the columns are {lines[0] if lines else 'missing'}, not {COLUMNS}")
    wrong = next((line for line, row in enumerate(lines, 1) if len(row) != len(COLUMNS)), None)
    if wrong is not None:
        raise _fault(path, wrong, f"{len(lines[wrong - 1])} columns, not {len(COLUMNS)}")
    if len(lines) - 1 != shape.counts[split]:
        raise _fault(path, len(lines), f"the file ends after {len(lines) - 1} items, not {shape.counts[split]}")
    ids, categories, texts = (list(column) for column in zip(*lines[1:], strict=True))
    rows = Rows(path, ids, categories, texts)
    _check_labels(rows, shape.labels)
    _check_ids(rows)
    _check_texts(rows)
    return rows


def check_parallel(rows: Rows, reference: Rows) -> None:
    """The same ids in the same order and with the same labels as in the reference language."""
    columns = (("id", rows.ids, reference.ids), ("label", rows.categories, reference.categories))
    for column, values, expected in columns:
        if values != expected:
            row = next(i for i, pair in enumerate(zip(values, expected, strict=True)) if pair[0] != pair[1])
            contrast = f"{reference.path.parent.name}/{reference.path.name} has '{expected[row]}' in that line"
            raise _fault(rows.path, row + 2, f"{column} '{values[row]}', but {contrast}; the items must be parallel")


def check_disjoint(reference: Mapping[Split, Rows]) -> None:
    """No id in two splits."""
    homes: dict[str, Rows] = {}
    for rows in reference.values():
        for line, item in enumerate(rows.ids, 2):
            if item in homes:
                raise _fault(rows.path, line, f"id '{item}' is also in {homes[item].path.name}")
        homes.update(dict.fromkeys(rows.ids, rows))


def _language_data(folder: Path, shape: FolderShape, reference: Mapping[Split, Rows]) -> dict[Split, Labelled]:
    data = {}
    for split in SPLITS:
        rows = read_rows(folder / f"{split}.tsv", split, shape)
        check_parallel(rows, reference[split])
        gold = np.array([shape.labels.index(category) for category in rows.categories], np.int64)
        data[split] = Labelled(tuple(map(Example, rows.ids, repeat(folder.name), rows.texts)), gold)
    return data


def _check_labels(rows: Rows, labels: Sequence[str]) -> None:
    if not set(rows.categories) <= set(labels):
        row = next(i for i, category in enumerate(rows.categories) if category not in labels)
        raise _fault(rows.path, row + 2, f"unknown label '{rows.categories[row]}'; the labels are {', '.join(labels)}")


def _check_ids(rows: Rows) -> None:
    wrong = next((i for i, item in enumerate(rows.ids) if not (item.isascii() and item.isdigit())), None)
    if wrong is not None:
        raise _fault(rows.path, wrong + 2, f"id '{rows.ids[wrong]}' is no whole number")
    if len(set(rows.ids)) < len(rows.ids):
        row = next(i for i, item in enumerate(rows.ids) if item in rows.ids[:i])
        raise _fault(rows.path, row + 2, f"id '{rows.ids[row]}' is already in line {rows.ids.index(rows.ids[row]) + 2}")


def _check_texts(rows: Rows) -> None:
    row = next((i for i, text in enumerate(rows.texts) if not text.strip()), None)
    if row is not None:
        raise _fault(rows.path, row + 2, f"the text of id '{rows.ids[row]}' is empty")


def _fault(path: Path, line: int, reason: str) -> DataError:
    return DataError(f"{path}, line {line}: {reason}; {FETCH}")


def _by_folder(root: Path, files: Sequence[str]) -> list[str]:
    """Missing files, those of a missing language folder as one."""
    codes = [name.partition("/")[0] for name in files]
    absent = {code for code in codes if not is_folder(root / code)}
    named = (f"{code}/" if code in absent else name for code, name in zip(codes, files, strict=True))
    return list(dict.fromkeys(named))


def _few(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
