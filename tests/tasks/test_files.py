"""Tasks from files: what a `task.toml` may say, what files may hold, and every way of getting them wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from tests.support.task_folder import CODES, COUNTS, HEADER, LABELS, TOML, rows_of, write, write_task
from xlt_bench.errors import ConfigError, DataError
from xlt_bench.records.answers import ABSENT, sheet_of
from xlt_bench.records.record import Predictions
from xlt_bench.stats import reduce, two_way
from xlt_bench.task import SPLITS, Split, Task
from xlt_bench.tasks.files import toml_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews")
    return tmp_path / "reviews"


def load(folder: Path, toml: str | None = None) -> Task:
    if toml is not None:
        (folder / "task.toml").write_text(toml, encoding="utf-8")
    return toml_task(folder / "task.toml").load(None)


def columns(text: str) -> str:
    return TOML.replace('id = "id"', text)


def ids(task: Task, code: str, split: Split) -> list[str]:
    return [example.id for example in task.split(code, split).examples]


def test_a_good_folder(folder: Path) -> None:
    info = toml_task(folder / "task.toml")
    assert (info.name, info.backbone, info.preset, info.seeds) == ("reviews", "nano", "cldr", 3)
    assert (info.full_targets, info.full_seeds) == ((), 6)
    assert info.summary == "2 classes, 3 languages; from task.toml"
    task = info.load(None)
    assert (task.name, task.labels, tuple(task.languages)) == ("reviews", LABELS, CODES)
    assert task.languages == info.languages()
    part = task.split("deu_Latn", "dev")
    assert [(e.id, e.language, e.text, e.text_pair) for e in part.examples][:2] == [
        ("dev0", "deu_Latn", "text 0 of deu_Latn", None),
        ("dev1", "deu_Latn", "text 1 of deu_Latn", None),
    ]
    assert part.gold.tolist() == [0, 1, 0, 1]
    assert {split: len(task.split("zul_Latn", split)) for split in SPLITS} == COUNTS


def test_its_files_are_named_but_for_those_that_another_library_chooses(folder: Path) -> None:
    tables = set(folder.rglob("*.tsv"))
    assert set(toml_task(folder / "task.toml").files(None) or ()) == {
        folder / "task.toml", *tables, *(table.parent for table in tables)
    }  # fmt: skip
    (folder / "task.toml").write_text(f'config = "{{language}}"\ndata = "."\n{TOML}', encoding="utf-8")
    assert toml_task(folder / "task.toml").files(None) is None


def test_what_is_known_of_languages(folder: Path) -> None:
    toml = TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "") + (
        "[languages.eng_Latn]\n"
        '[languages.deu_Latn]\nname = "High German"\njoshi = 4\n'
        '[languages.zul_Latn]\nfamily = "Bantu"\nscript = "Latin"\n'
    )
    known = load(folder, toml).languages
    assert [(one.name, one.script, one.joshi) for one in known.values()][:2] == [
        ("English", "Latn", 5),
        ("High German", "Latn", 4),
    ]
    assert (known["zul_Latn"].family, known["zul_Latn"].script) == ("Bantu", "Latin")
    assert known["deu_Latn"].family == "Indo-European"


def test_any_codes_will_do(folder: Path) -> None:
    for old, new in zip(CODES, ("en", "de-AT", "x-Cyrl"), strict=True):
        (folder / old).rename(folder / new)
    task = load(folder, TOML.replace("eng_Latn", "en").replace("deu_Latn", "de-AT").replace("zul_Latn", "x-Cyrl"))
    assert [(one.code, one.name, one.script, one.joshi) for one in task.languages.values()] == [
        ("en", "en", "", None),
        ("de-AT", "de-AT", "", None),
        ("x-Cyrl", "x-Cyrl", "Cyrl", None),
    ]
    groups = toml_task(folder / "task.toml").groups("nano")
    assert set(groups) == {"all", "all-wo-joshi5"}


def test_groups(folder: Path) -> None:
    own = '[groups]\nbantu = ["zul_Latn"]\n'
    load(folder, 'full_targets = ["bantu", "unseen"]\nfull_seeds = 2\n' + TOML + own)
    info = toml_task(folder / "task.toml")
    groups = info.groups("nano")
    assert groups["joshi5"] == groups["seen"] == {"eng_Latn", "deu_Latn"}
    assert groups["unseen"] == groups["bantu"] == {"zul_Latn"}
    assert "enarzho" not in groups  # two of its three languages are not here
    assert "seen" not in info.groups("acme/bert")
    assert info.groups("acme/bert")["bantu"] == {"zul_Latn"}
    assert (info.full_targets, info.full_seeds) == (("bantu", "unseen"), 2)


def test_what_a_backbone_saw(folder: Path) -> None:
    own = '[backbones."acme/bert"]\nseen = ["zul_Latn"]\nlow-performing = ["deu_Latn"]\n[backbones.nano]\nseen = []\n'
    load(folder, TOML + own)
    info = toml_task(folder / "task.toml")
    groups = info.groups("acme/bert")
    assert groups["seen"] == groups["seen-wo-joshi5"] == {"zul_Latn"}
    assert groups["unseen"] == {"eng_Latn", "deu_Latn"}
    assert groups["low-performing"] == {"deu_Latn"}
    assert info.groups("nano")["unseen"] == set(CODES)
    local = folder / "bert"
    local.mkdir()
    assert info.groups(str(local)) == groups


def test_pairs_of_texts(folder: Path) -> None:
    for code in CODES:
        for split in SPLITS:
            write(folder, code, split, [f"{HEADER}\tother", *(f"{row}\tand {code}" for row in rows_of(code, split))])
    task = load(folder, columns('id = "id"\ntext_pair = "other"'))
    assert [example.text_pair for example in task.split("zul_Latn", "test").examples] == ["and zul_Latn"] * 6
    write(folder, "deu_Latn", "dev", [f"{HEADER}\tother", "dev0\tnegative\tx\t "])
    with pytest.raises(DataError, match=r"deu_Latn/dev\.tsv, line 2: 'other' is empty"):
        load(folder)


def test_without_ids_each_language_has_its_own_items(folder: Path) -> None:
    task = load(folder, columns(""))
    assert ids(task, "deu_Latn", "dev")[:2] == ["deu_Latn:dev-1", "deu_Latn:dev-2"]
    assert not set(ids(task, "deu_Latn", "test")) & set(ids(task, "eng_Latn", "test"))


def test_ids_that_mean_nothing_to_other_languages(folder: Path) -> None:
    write(folder, "deu_Latn", "test", [HEADER, "test0\tpositive\tx"])
    task = load(folder, 'items = "separate"\n' + TOML)
    assert ids(task, "deu_Latn", "test") == ["deu_Latn:test0"]


def test_parallel_by_line(folder: Path) -> None:
    by_line = 'items = "by-line"\n' + columns("")
    task = load(folder, by_line)
    assert ids(task, "deu_Latn", "test") == ids(task, "eng_Latn", "test") == [f"test-{i}" for i in range(1, 7)]
    write(folder, "deu_Latn", "dev", [HEADER, "-\tnegative\tx", "-\tnegative\ty"])
    with pytest.raises(DataError, match=r"deu_Latn/dev.tsv, line 3: label 'negative', but 'positive' in .*eng_Latn"):
        load(folder, by_line)
    write(folder, "deu_Latn", "dev", [HEADER, "-\tnegative\tx", "-\tpositive\ty"])
    with pytest.raises(DataError, match=r"deu_Latn/dev.tsv has 2 items, but .*eng_Latn/dev.tsv has 4; lines must be"):
        load(folder, by_line)


def test_what_ids_mean_to_the_statistics(folder: Path) -> None:
    """The same answers to an item in all languages: one question asked three times, or three questions."""
    variance = {}
    for items in ("by-line", "separate"):
        task = load(folder, f'items = "{items}"\n' + columns(""))
        examples = task.pool(CODES, "test").examples
        right = [number % 6 < 2 for number in range(len(examples))]
        texts = (np.array(column, object) for column in zip(*((e.language, e.id) for e in examples), strict=True))
        answers = Predictions(*texts, np.array(right, object), np.full(len(right), True, object))
        correct = sheet_of(answers, [True, False]).correct  # type: ignore[list-item]
        scores = reduce(np.where(correct == ABSENT, np.nan, correct)[None])
        variance[items] = float(two_way(scores).variance)
        assert scores.mean() == pytest.approx(1 / 3)
    assert variance["by-line"] == pytest.approx(2 / 9 / 5)  # p (1 - p) / (items - 1)
    assert variance["separate"] == pytest.approx(2 / 9 / 17)


def test_overlapping_items(folder: Path) -> None:
    write(folder, "deu_Latn", "test", [HEADER, *rows_of("deu_Latn", "test")[:4]])
    with pytest.raises(
        DataError, match=r"deu_Latn/test.tsv lacks id 'test4', .*eng_Latn/test.tsv, line 6 \(and 1 more"
    ):
        load(folder)
    task = load(folder, 'items = "overlapping"\n' + TOML)
    assert [len(task.split(code, "test")) for code in CODES] == [6, 4, 6]
    write(folder, "deu_Latn", "test", [HEADER, *rows_of("deu_Latn", "test")])
    write(folder, "zul_Latn", "test", [HEADER, *rows_of("zul_Latn", "test"), "more\tpositive\tx"])
    with pytest.raises(DataError, match=r"eng_Latn/test.tsv lacks id 'more', which is in .*zul_Latn/test.tsv, line 8"):
        load(folder, TOML)


def test_another_order_of_parallel_items_is_no_fault(folder: Path) -> None:
    write(folder, "deu_Latn", "test", [HEADER, *reversed(rows_of("deu_Latn", "test"))])
    assert ids(load(folder), "deu_Latn", "test")[0] == "test5"


def test_languages_that_have_test_items_only(folder: Path) -> None:
    for code in CODES[1:]:
        (folder / code / "train.tsv").unlink()
    (folder / "zul_Latn" / "dev.tsv").unlink()
    toml = TOML + (
        '[splits]\ntrain = { languages = ["eng_Latn"] }\ndev = { languages = ["eng_Latn", "deu_Latn"], file = "dev" }\n'
    )
    task = load(folder, toml)
    assert [len(task.split(code, "train")) for code in CODES] == [8, 0, 0]
    assert [len(task.split(code, "dev")) for code in CODES] == [4, 4, 0]
    task.check_trainable(["eng_Latn"], "--sources 'eng_Latn'")
    with pytest.raises(ConfigError) as caught:
        task.check_trainable(CODES, "--sources 'all'")
    assert str(caught.value) == (
        "--sources 'all': task reviews has no train and dev split for deu_Latn, zul_Latn; it has them for eng_Latn"
    )


def test_other_names_of_files_and_splits(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    for code in CODES:
        for split, name in (("train", "train"), ("dev", "validation"), ("test", "test")):
            target = data / f"{name}-{code}.csv"
            target.parent.mkdir(exist_ok=True)
            text = (folder / code / f"{split}.tsv").read_text(encoding="utf-8")
            target.write_text(text.replace("\t", ","), encoding="utf-8")
    toml = f'files = "{{split}}-{{language}}.csv"\ndata = "../elsewhere"\n{TOML}[splits]\ndev = "validation"\n'
    before = load(folder).fingerprint
    assert load(folder, toml).fingerprint == before
    info = toml_task(folder / "task.toml")
    assert info.load(data).fingerprint == before


def test_parquet_in_several_files_with_numbers_for_classes(folder: Path) -> None:
    before = load(folder).fingerprint
    for code in CODES:
        for split in SPLITS:
            rows = [row.split("\t") for row in rows_of(code, split)]
            for number, part in enumerate((rows[:2], rows[2:])):
                table = arrow.table(
                    {
                        "id": [row[0] for row in part],
                        "class": arrow.array([LABELS.index(row[1]) for row in part], arrow.int64()),
                        "text": [row[2] for row in part],
                        "more": [None for _ in part],
                    }
                )
                parquet.write_table(table, folder / code / f"{split}-{number:05d}-of-2.parquet")
    toml = 'files = "{language}/{split}-*.parquet"\n' + columns('id = "id"\nlabel = "class"')
    assert load(folder, toml).fingerprint == before


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


@pytest.mark.parametrize("what", PARQUET_FAULTS)
def test_a_faulty_parquet_file_is_named_with_its_row(what: str, folder: Path) -> None:
    content, message = PARQUET_FAULTS[what]
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


@pytest.mark.parametrize("what", ROW_FAULTS)
def test_a_faulty_file_is_named_with_its_line(what: str, folder: Path) -> None:
    change, message = ROW_FAULTS[what]
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


def test_marks_as_text(folder: Path) -> None:
    write(folder, "zul_Latn", "dev", [HEADER, 'dev0\tnegative\t"x', *rows_of("zul_Latn", "dev")[1:]])
    task = load(folder, 'quotes = "none"\n' + TOML)
    assert task.split("zul_Latn", "dev").examples[0].text == '"x'


def test_what_spreadsheets_do_to_a_file(folder: Path) -> None:
    before = load(folder).fingerprint
    for path in folder.glob("*/*.tsv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folder).fingerprint == before
    assert load(folder, 'quotes = "none"\n' + TOML).fingerprint == before


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


TOML_FAULTS: dict[str, tuple[str, str]] = {
    "no TOML": ("labels = \n", r"task.toml is no TOML: .*line 1"),
    "key": (
        TOML.replace("labels", "lables"),
        r"task.toml: no key 'lables'; did you mean 'labels'\? see: name, summary,",
    ),
    "inner key": (columns('txt = "x"'), r"task.toml, \[columns\]: no key 'txt'; did you mean 'text'\? see: id, label"),
    "column for a table": (
        'columns = "text"' + TOML.partition("[columns]")[0],
        r"columns must be a table, \[columns\]",
    ),
    "no labels": ('languages = ["eng_Latn"]', r"task.toml: labels must list at least 2 classes"),
    "one label": ('labels = ["x"]\nlanguages = ["eng_Latn"]', r"labels must list at least 2 classes"),
    "label twice": (TOML.replace('"negative"', '"positive"'), r"labels names 'positive' twice"),
    "labels by number": (
        TOML.replace('["negative", "positive"]', "[0, 1]"),
        r"labels must be a list of texts, not \[0, 1",
    ),
    "no languages": ('labels = ["a", "b"]', r"languages must list the codes"),
    "language twice": (TOML.replace("deu_Latn", "eng_Latn"), r"languages names 'eng_Latn' twice"),
    "language for a group": (
        TOML.replace("deu_Latn", "all"),
        r"'all' has a meaning of its own; give the language anoth",
    ),
    "language with a sign": (TOML.replace("deu_Latn", "a+b"), r"'a\+b' is no name of a language: letters, digits"),
    "language key": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "") + "[languages.en]\njoshy = 5",
        r"\[languages.en\]: no key 'joshy'; did you mean 'joshi'\?",
    ),
    "class of a language": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "") + "[languages.en]\njoshi = 6",
        r"\[languages.en\]: joshi must be a class of Joshi et al. \(2020\), from 0 to 5, not 6",
    ),
    "name": ('name = "My Task"' + TOML, r"'My Task' is no name of a task: small letters"),
    "seeds": ("seeds = 0" + TOML, r"seeds must be a whole number from 1 to 1,000,000, not 0"),
    "seeds in words": ('seeds = "three"' + TOML, r"seeds must be a whole number from 1 to 1,000,000, not 'three'"),
    "preset": ('preset = "papre"' + TOML, r"no preset 'papre'; did you mean 'paper'\?"),
    "items": ('items = "paralel"' + TOML, r"no items 'paralel'; did you mean 'parallel'\? see: parallel, overlapping"),
    "parallel without ids": ('items = "parallel"' + columns(""), r'items = "parallel" needs an id column'),
    "by line with ids": ('items = "by-line"' + TOML, r'items = "by-line" is for files without ids'),
    "quotes": ('quotes = "yes"' + TOML, r"no quotes 'yes'; see: csv, none"),
    "files": ('files = "{lang}/{split}.tsv"' + TOML, r"files must have \{language\} and \{split\} once each"),
    "ending": (
        'files = "{language}/{split}.json"' + TOML,
        r"files must end with .tsv, .csv, .jsonl, .*.parquet, .arrow, not",
    ),
    "absolute files": (
        'files = "/{language}/{split}.tsv"' + TOML,
        r"files is a path inside the data folder, with sing",
    ),
    "files anywhere": (
        'files = "**/{language}/{split}.tsv"' + TOML,
        r"files is a path inside the data folder, with sin",
    ),
    "files outside": ('files = "../{language}/{split}.tsv"' + TOML, r"with single \* and without \.\., not"),
    "folder outside": (
        TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "")
        + '[languages.eng_Latn]\nfolder = "../up"\n',
        r"folder must be what stands for \{language\} in paths, without /, not '../up'",
    ),
    "split outside": (TOML + '[splits]\ndev = "../dev"', r"'../dev' is no name of a split in the files"),
    "empty": ('empty = "keep"' + TOML, r"no empty 'keep'; see: refuse, drop"),
    "hub": (TOML + '[hub]\npath = "nusax"\nrevision = "7b2f"', r"\[hub\]: path must be a data set of the hub, such as"),
    "revision": (
        TOML + '[hub]\npath = "mteb/NusaX-senti"\nrevision = "main"',
        r"revision must be a commit of 40 hexadecimal digits, so that the data cannot change, not 'main'",
    ),
    "config without hub": ('config = "{language}"' + TOML, r"config needs \[hub\], or data, a local folder"),
    "config that leads out": (
        'data = "."\nconfig = ".."\n' + TOML,
        r"config must be a configuration, with \{language\} in it or not",
    ),
    "config with more": (
        'config = "{split}"' + TOML + '[hub]\npath = "a/b"\nrevision = "' + "0" * 40 + '"',
        r"config must be a configuration, with \{language\} in it or not",
    ),
    "source's split": (
        TOML + '[[sources]]\nsplits = ["dev", "final"]',
        r"\[sources\] 1: splits must be some of train,",
    ),
    "source's key": (TOML + '[[sources]]\nlanguage = "eng_Latn"', r"\[sources\] 1: no key 'language'; did you mean"),
    "sources": (TOML + "[sources]\n", r"sources must be a list of tables, \[\[sources\]\]"),
    "max_length": ("max_length = 0" + TOML, r"max_length must be a whole number from 1 to"),
    "many seeds": (
        "seeds = 100_000_000_000" + TOML,
        r"seeds must be a whole number from 1 to 1,000,000, not 100000000000",
    ),
    "digits": (f"seeds = {'9' * 5000}" + TOML, r"cannot read .*: Exceeds the limit \(4300"),
    "deep list": (
        "x = " + "[" * 5000 + "]" * 5000,
        r"is no TOML that can be read: tables or lists are nested too deep",
    ),
    "deep table": ("x = " + "{a=" * 5000 + "1" + "}" * 5000, r"tables or lists are nested too deep"),
    "deep key": ("x" + ".a" * 400_000 + " = 1", r"has a key of more than 64 parts; no key that is read here has"),
    "deep quoted key": ("x" + ' . \'a\'."b\\"c"' * 40_000 + " = 1", r"has a key of more than 64 parts"),
    "deep name of a table": ("[x" + ".a" * 400_000 + "]", r"has a key of more than 64 parts"),
    "huge": ("# " + "x" * 2_000_000, r"has more than 1,048,576 bytes"),
    "long name": (f'name = "{"x" * 300}"' + TOML, r"'x{97}\.\.\.' is no name of a task: .* at most 100"),
    "long backbone": (f'backbone = "{"x" * 300}"' + TOML, r"backbone must be a name of at most 100 characters, not '"),
    "long key": (f"{'x' * 300} = 1" + TOML, r"no key 'x{97}\.\.\.'"),
    "one column for two": (columns('id = "text"'), r"two of text, label, text are one column"),
    "split": (TOML + '[splits]\nvalid = "validation"', r"\[splits\]: no key 'valid'; see: train, dev, test"),
    "one name for two": (TOML + '[splits]\ndev = "test"', r"two splits have one name in the files"),
    "languages of test": (TOML + '[splits.test]\nlanguages = ["eng_Latn"]', r"every language needs a test split"),
    "train without dev": (
        TOML + '[splits.dev]\nlanguages = ["eng_Latn"]',
        r"deu_Latn, zul_Latn would train without dev, which selects the checkpoint",
    ),
    "language of a split": (
        TOML + '[splits.train]\nlanguages = ["de"]',
        r"\[splits.train\]: languages: no language 'de'; did you mean 'deu_Latn'\?",
    ),
    "group": (
        TOML + '[groups]\nbantu = ["zul_latn"]',
        r"\[groups\]: bantu: no language 'zul_latn'; did you mean 'zul_L",
    ),
    "group of nothing": (TOML + "[groups]\nbantu = []", r"group 'bantu' has no languages"),
    "group of a text": (TOML + '[groups]\nbantu = "zul_Latn"', r"bantu must be a list of texts, not 'zul_Latn'"),
    "group's name": (TOML + '[groups]\nseen = ["zul_Latn"]', r"'seen' has a meaning of its own; give the group anot"),
    "group's signs": (TOML + '[groups]\n"a, b" = ["zul_Latn"]', r"'a, b' is no name of a group"),
    "group as a language": (TOML + '[groups]\neng_Latn = ["zul_Latn"]', r"'eng_Latn' is also a language of the task"),
    "backbone's key": (TOML + '[backbones.nano]\nsaw = ["zul_Latn"]', r"\[backbones.nano\]: no key 'saw'"),
    "full targets": ('full_targets = ["unsen"]' + TOML, r"full_targets: no group 'unsen'; did you mean 'unseen'\?"),
}


@pytest.mark.parametrize("what", TOML_FAULTS)
def test_a_faulty_toml_is_refused_before_any_file_is_read(what: str, tmp_path: Path) -> None:
    toml, message = TOML_FAULTS[what]
    path = tmp_path / "reviews" / "task.toml"
    path.parent.mkdir()
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        toml_task(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_toml_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*task.toml: No such file"):
        toml_task(tmp_path / "task.toml")
    (tmp_path / "task.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match=r"task.toml: byte 8 is not UTF-8; save it as UTF-8"):
        toml_task(tmp_path / "task.toml")


def test_a_list_that_fills_the_file_is_read_in_seconds(folder: Path) -> None:
    codes = ", ".join(f'"{number:05d}"' for number in range(60_000))
    (folder / "task.toml").write_text(f'labels = ["a", "b"]\nlanguages = [{codes}]\n', encoding="utf-8")
    start = time.process_time()
    toml_task(folder / "task.toml")
    assert time.process_time() - start < 20, "time grows with the square of the list: it took minutes"
