"""Tasks from files: what a `task.toml` may say, and what files may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from tests.support.task_folder import CODES, COUNTS, HEADER, LABELS, TOML, columns, load, rows_of, write, write_task
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
    languages = load(folder, toml).languages
    assert [(language.name, language.script, language.joshi) for language in languages.values()][:2] == [
        ("English", "Latn", 5),
        ("High German", "Latn", 4),
    ]
    assert (languages["zul_Latn"].family, languages["zul_Latn"].script) == ("Bantu", "Latin")
    assert languages["deu_Latn"].family == "Indo-European"


def test_any_codes_will_do(folder: Path) -> None:
    for old, new in zip(CODES, ("en", "de-AT", "x-Cyrl"), strict=True):
        (folder / old).rename(folder / new)
    task = load(folder, TOML.replace("eng_Latn", "en").replace("deu_Latn", "de-AT").replace("zul_Latn", "x-Cyrl"))
    assert [
        (language.code, language.name, language.script, language.joshi) for language in task.languages.values()
    ] == [
        ("en", "en", "", None),
        ("de-AT", "de-AT", "", None),
        ("x-Cyrl", "x-Cyrl", "Cyrl", None),
    ]
    groups = toml_task(folder / "task.toml").groups("nano")
    assert set(groups) == {"all", "all-wo-joshi5"}


def test_groups(folder: Path) -> None:
    groups_table = '[groups]\nbantu = ["zul_Latn"]\n'
    load(folder, 'full_targets = ["bantu", "unseen"]\nfull_seeds = 2\n' + TOML + groups_table)
    info = toml_task(folder / "task.toml")
    groups = info.groups("nano")
    assert groups["joshi5"] == groups["seen"] == {"eng_Latn", "deu_Latn"}
    assert groups["unseen"] == groups["bantu"] == {"zul_Latn"}
    assert "enarzho" not in groups  # two of its three languages are not here
    assert "seen" not in info.groups("acme/bert")
    assert info.groups("acme/bert")["bantu"] == {"zul_Latn"}
    assert (info.full_targets, info.full_seeds) == (("bantu", "unseen"), 2)


def test_what_a_backbone_saw(folder: Path) -> None:
    backbones_table = (
        '[backbones."acme/bert"]\nseen = ["zul_Latn"]\nlow-performing = ["deu_Latn"]\n[backbones.nano]\nseen = []\n'
    )
    load(folder, TOML + backbones_table)
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
