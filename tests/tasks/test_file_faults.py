"""Files of a task that are faulty: each fault is named with its file and line before anything is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from tests.support.task_folder import CODES, HEADER, TOML, load, rows_of, write, write_task
from xlt_bench.errors import DataError
from xlt_bench.task import SPLITS
from xlt_bench.tasks.files import toml_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews")
    return tmp_path / "reviews"


PARQUET_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "column": ({"id": ["a"], "lable": ["negative"], "text": ["x"]}, r"test.parquet: no column 'label'; did you mean"),
    "kind": (
        {"id": ["a"], "label": ["negative"], "text": [1.5]},
        r"test.parquet: column 'text' holds double, not text",
    ),
    "numbers": (
        {"id": ["a"], "label": ["negative"], "text": [1]},
        r"test.parquet, row 1: 'text' is the number 1, not a text",
    ),
    "null": ({"id": ["a", "b"], "label": ["negative"] * 2, "text": ["x", None]}, r"test.parquet, row 2: 'text' is emp"),
    "no label": ({"id": ["a", "b"], "label": ["negative", None], "text": ["x", "y"]}, r"row 2: unknown label None"),
    "hidden label": ({"id": ["a"], "label": [-1], "text": ["x"]}, r"row 1: unknown label -1; the labels are negative,"),
    "twice": ({"id": [7, 7], "label": [0, 0], "text": ["x", "y"]}, r"row 2: id '7' is already in row 1"),
    "nothing": ({"id": [], "label": [], "text": []}, r"column 'id' holds null|has no items"),
}


@pytest.mark.parametrize("fault", PARQUET_FAULTS)
def test_a_faulty_parquet_file_is_named_with_its_row(fault: str, folder: Path) -> None:
    content, message = PARQUET_FAULTS[fault]
    for code in CODES:
        for split in SPLITS:
            rows = [row.split("\t") for row in rows_of(code, split)]
            table = dict(zip(("id", "label", "text"), map(list, zip(*rows, strict=True)), strict=True))
            chosen = content if (code, split) == ("deu_Latn", "test") else table
            parquet.write_table(arrow.table(chosen), folder / code / f"{split}.parquet")
    with pytest.raises(DataError, match=message):
        load(folder, 'files = "{language}/{split}.parquet"\n' + TOML)


def test_what_is_no_parquet(folder: Path) -> None:
    for path in folder.glob("*/*.tsv"):
        path.rename(path.with_suffix(".parquet"))
    with pytest.raises(DataError, match=r"cannot read .*eng_Latn/train.parquet as Parquet \(.*\); write it again"):
        load(folder, 'files = "{language}/{split}.parquet"\n' + TOML)


ROW_FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "no column": (
        lambda r: ["id\tlable\ttext", *r[1:]],
        r"line 1: no column 'label'; did you mean 'lable'\? see: \[col",
    ),
    "no header": (lambda r: r[1:], r"line 1: no column 'id'"),
    "nothing": (lambda r: [], r"line 1: no column 'id'; see: .* the file has none"),
    "column twice": (lambda r: ["id\tlabel\ttext\ttext", *(f"{x}\tx" for x in r[1:])], r"line 1: column 'text' is th"),
    "no items": (lambda r: r[:1], r"train.tsv has no items"),
    "unknown label": (
        lambda r: [*r[:2], "a\tneutral\tx"],
        r"line 3: unknown label 'neutral'; the labels are negative, ",
    ),
    "class by number": (lambda r: [*r[:2], "a\t1\tx"], r"line 3: unknown label '1'; the labels are"),
    "duplicate": (lambda r: [*r[:3], r[1]], r"line 4: id 'train0' is already in line 2"),
    "empty text": (lambda r: [*r[:2], "a\tnegative\t "], r"line 3: 'text' is empty"),
    "empty id": (lambda r: [*r[:2], "\tnegative\tx"], r"line 3: 'id' is empty"),
    "too many fields": (lambda r: [*r[:2], r[2] + "\tx"], r"line 3: 4 columns, not 3 as in the header"),
    "too few fields": (lambda r: [*r[:2], "a\tx"], r"line 3: 2 columns, not 3"),
    "blank line": (lambda r: [*r[:2], "", *r[2:]], r"line 3: 0 columns, not 3"),
    "open quote": (lambda r: [*r[:2], 'a\tnegative\t"x'], r'line 3: .*; .* say quotes = "none" in .*task.toml'),
    "over two lines": (lambda r: [*r[:2], 'a\tnegative\t"x\ny"'], r"line 3: a text goes over several lines"),
    "other label": (lambda r: [*r[:1], "train0\tpositive\tx", *r[2:]], r"line 2: label 'positive', but 'negative' in"),
    "id of another split": (lambda r: [*r, "test0\tnegative\tx"], r"zul_Latn/test.tsv, line 2: id 'test0' is also in"),
    "missing item": (lambda r: r[:-1], r"train.tsv lacks id 'train7', which is in .*eng_Latn/train.tsv, line 9; add"),
    "one item more": (lambda r: [*r, "a\tnegative\tx"], r"eng_Latn/train.tsv lacks id 'a', which is in .*zul_Latn"),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_faulty_file_is_named_with_its_line(fault: str, folder: Path) -> None:
    change, message = ROW_FAULTS[fault]
    write(folder, "zul_Latn", "train", change([HEADER, *rows_of("zul_Latn", "train")]))
    with pytest.raises(DataError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert "zul_Latn/" in str(caught.value)


def test_an_item_that_moves_between_splits(folder: Path) -> None:
    """The trap of parallel data: what one language trains on, another is tested on."""
    for split, name in (("train", "test0"), ("test", "train0")):
        _, *others = rows_of("deu_Latn", split)
        write(folder, "deu_Latn", split, [HEADER, f"{name}\tnegative\tx", *others])
    with pytest.raises(DataError, match=r"eng_Latn/test.tsv, line 2: id 'test0' is of test here, but of train in"):
        load(folder)


def test_files_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    (folder / "deu_Latn" / "dev.tsv").unlink()
    with pytest.raises(DataError, match=r"lacks deu_Latn/dev.tsv; .*task.toml says which languages and splits"):
        load(folder)
    with pytest.raises(DataError, match=r"lacks eng_Latn/train.tsv, .*, deu_Latn/dev.tsv and 4 more"):
        toml_task(folder / "task.toml").load(tmp_path)
    with pytest.raises(
        DataError, match=r"no folder '.*nowhere'; it must hold \{language\}/\{split\}.tsv, as .*task.toml"
    ):
        toml_task(folder / "task.toml").load(tmp_path / "nowhere")
