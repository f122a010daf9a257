"""The formats that a task's rows may have, what each is refused for, and what is imported to read them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as arrow
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet
import pytest

from tests.support.task_folder import CODES, TOML, rows_of, write_task
from xlt_bench.errors import DataError
from xlt_bench.task import SPLITS, Split, Task
from xlt_bench.tasks.files import arrow_tables, toml_task

Rows = Sequence[dict[str, object]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews")
    return tmp_path / "reviews"


def load(folder: Path, toml: str) -> Task:
    (folder / "task.toml").write_text(toml, encoding="utf-8")
    return toml_task(folder / "task.toml").load(None)


def rows(code: str, split: Split) -> list[dict[str, object]]:
    return [dict(zip(("id", "label", "text"), row.split("\t"), strict=True)) for row in rows_of(code, split)]


def write_json_lines(path: Path, items: Rows) -> None:
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")


def write_packed(path: Path, items: Rows) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in items)


def write_parquet(path: Path, items: Rows) -> None:
    parquet.write_table(arrow.Table.from_pylist(list(items)), path)


def write_arrow(path: Path, items: Rows) -> None:
    table = arrow.Table.from_pylist(list(items))
    with ipc.new_stream(path, table.schema) as stream:
        stream.write_table(table)


FORMATS: dict[str, Callable[[Path, Rows], None]] = {
    ".jsonl": write_json_lines,
    ".jsonl.gz": write_packed,
    ".json.gz": write_packed,
    ".parquet": write_parquet,
    ".arrow": write_arrow,
}


def write_all(folder: Path, ending: str, change: Callable[[Rows], Rows] = lambda items: items) -> str:
    """The task's rows in another format, those of one file changed; returns the `task.toml` that reads them."""
    for code in CODES:
        for split in SPLITS:
            items: Rows = rows(code, split)
            FORMATS[ending](folder / code / f"{split}{ending}", change(items) if code == "deu_Latn" else items)
    return f'files = "{{language}}/{{split}}{ending}"\n{TOML}'


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_same_task(ending: str, folder: Path) -> None:
    before = load(folder, TOML).fingerprint
    assert load(folder, write_all(folder, ending)).fingerprint == before


@pytest.mark.parametrize("ending", FORMATS)
def test_texts_that_look_like_something_else_stay_texts(ending: str, folder: Path) -> None:
    texts = ["2021-05-01", "NA", "1e5", "null", "true", "2021-05-01T10:00:00Z", '"quoted"', "007"]
    changed = lambda items: [{**item, "text": text} for item, text in zip(items, texts, strict=False)]  # noqa: E731
    task = load(folder, write_all(folder, ending, changed))
    assert [example.text for example in task.split("deu_Latn", "train").examples] == texts


ROW_FAULTS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "no text": (lambda items: [*items[:1], {**items[1], "text": None}, *items[2:]], r"2: 'text' is empty"),
    "blank text": (lambda items: [*items[:1], {**items[1], "text": " "}, *items[2:]], r"2: 'text' is empty"),
    "label": (
        lambda items: [*items[:2], {**items[2], "label": "neutral"}, *items[3:]],
        r"3: unknown label 'neutral'; the",
    ),
    "id": (lambda items: [*items[:3], {**items[3], "id": items[0]["id"]}, *items[4:]], r"4: id 'train0' is already in"),
    "column": (
        lambda items: [{"id": item["id"], "lable": item["label"], "text": item["text"]} for item in items],
        r"no column 'label'; did you mean 'lable'\?",
    ),
}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_faulty_row_is_named_in_every_format(fault: str, ending: str, folder: Path) -> None:
    change, message = ROW_FAULTS[fault]
    with pytest.raises(DataError, match=message) as caught:
        load(folder, write_all(folder, ending, change))
    assert f"deu_Latn/train{ending}" in str(caught.value)
    assert "\n" not in str(caught.value)


JSON_FAULTS = {
    "no JSON": ("{bad", r"line 2: no JSON: Expecting property name"),
    "no object": ("[1]", r"line 2: no JSON object, such as"),
    "blank line": ("", r"line 2: no JSON: Expecting value"),
    "a number": ('{"id": "a", "label": "negative", "text": 1.5}', r"line 2: 'text' is float, not a text"),
    "a whole number": ('{"id": "a", "label": "negative", "text": 1}', r"line 2: 'text' is the number 1, not a text"),
    "a list": ('{"id": "a", "label": ["negative"], "text": "x"}', r"line 2: 'label' is list, not a text"),
    "digits": ('{"id": ' + "9" * 5000 + "}", r"line 2: no JSON: it is nested too deep or a number too long"),
    "depth": ('{"id": ' + "[" * 100_000, r"line 2: no JSON: it is nested too deep or a number too long"),
}


@pytest.mark.parametrize("fault", JSON_FAULTS)
def test_a_faulty_line_of_json(fault: str, folder: Path) -> None:
    line, message = JSON_FAULTS[fault]
    toml = write_all(folder, ".jsonl")
    path = folder / "zul_Latn" / "train.jsonl"
    first, _, *others = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([first, line, *others]), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        load(folder, toml)
    assert f"{path}, line 2" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("ending", [".json.gz", ".parquet", ".arrow"])
def test_half_a_file(ending: str, folder: Path) -> None:
    toml = write_all(folder, ending)
    path = folder / "zul_Latn" / f"train{ending}"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=rf"cannot read .*zul_Latn/train{ending}") as caught:
        load(folder, toml)
    assert "\n" not in str(caught.value)


def stars(folder: Path, labels: str, values: Sequence[object], kind: arrow.DataType | None = None) -> Task:
    """A task in Parquet whose labels are numerals, without ids."""
    for code in CODES[:2]:
        for split in SPLITS:
            texts = arrow.array([f"{split} {number}" for number in range(len(values))])
            table = arrow.table({"label": values, "text": texts if kind is None else texts.cast(kind)})
            parquet.write_table(table, folder / code / f"{split}.parquet")
    files = 'files = "{language}/{split}.parquet"'
    return load(folder, f'labels = {labels}\nlanguages = ["eng_Latn", "deu_Latn"]\n{files}\n')


@pytest.mark.parametrize(
    ("labels", "values", "gold"),
    [
        ('["1", "2", "3"]', [1, 2, 3], [0, 1, 2]),  # a number is the label that is written so
        ('["1", "0"]', [0, 0, 0, 1], [1, 1, 1, 0]),  # also in another order
        ('["-1", "0", "1"]', [-1, 1], [0, 2]),
        ('["2", "0", "1"]', [0, 1, 2], [1, 2, 0]),
        ('["2.0", "+1", "00"]', [0, 1, 2], [2, 1, 0]),
        ('["\u0662", "\u0660", "\u0661"]', [0, 1, 2], [1, 2, 0]),  # digits of another script
        ('["other", "1", "0"]', [0, 1], [2, 1]),  # never a position where some label is a numeral
        ('["negative", "positive"]', [0, 1, 0], [0, 1, 0]),  # else a position
    ],
)
def test_numbers_for_classes(labels: str, values: list[int], gold: list[int], folder: Path) -> None:
    assert stars(folder, labels, values).split("deu_Latn", "test").gold.tolist() == gold


def test_a_number_without_a_label(folder: Path) -> None:
    with pytest.raises(DataError, match=r"eng_Latn/train.parquet, row 1: unknown label 0; the labels are 1, 2, 3"):
        stars(folder, '["1", "2", "3"]', [0, 1])


@pytest.mark.parametrize(("labels", "number"), [('["1", "01", "2"]', 1), ('["other", "1", "2"]', 0)])
def test_a_number_that_may_be_two_labels_or_is_none_of_them(labels: str, number: int, folder: Path) -> None:
    with pytest.raises(DataError, match=f"row 2: unknown label {number}; the labels are"):
        stars(folder, labels, [2, number])


def test_the_names_that_a_file_gives_its_numbers_go_first(folder: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"label": ClassLabel(names=["positive", "negative"]), "text": Value("string")})
    for code in CODES[:2]:
        for split in SPLITS:
            Dataset.from_dict({"label": [0, 1], "text": ["good", "bad"]}, features=features).to_parquet(
                str(folder / code / f"{split}.parquet")
            )
    files = 'files = "{language}/{split}.parquet"'
    task = load(folder, f'labels = ["negative", "positive"]\nlanguages = ["eng_Latn", "deu_Latn"]\n{files}\n')
    assert task.split("deu_Latn", "test").gold.tolist() == [1, 0]


@pytest.mark.parametrize(
    "kind", [arrow.string_view(), arrow.large_string(), arrow.dictionary(arrow.int32(), arrow.string())]
)
def test_the_kinds_of_text_that_parquet_has(kind: arrow.DataType, folder: Path) -> None:
    task = stars(folder, '["a", "b"]', ["a", "b"], kind)
    assert [example.text for example in task.split("deu_Latn", "dev").examples] == ["dev 0", "dev 1"]


@pytest.mark.parametrize("quotes", ["csv", "none"])
def test_a_long_field(quotes: str, folder: Path) -> None:
    path = folder / "zul_Latn" / "train.tsv"
    long = "word " * 30_000
    path.write_text(path.read_text(encoding="utf-8").replace("text 3 of zul_Latn", long), encoding="utf-8")
    task = load(folder, f'quotes = "{quotes}"\n{TOML}')
    assert task.split("zul_Latn", "train").examples[3].text == long


def test_a_parquet_file_that_unpacks_to_more_than_a_memory(folder: Path) -> None:
    """A few kilobytes on the disk: one text of 1 MiB, a million times."""
    toml = write_all(folder, ".parquet")
    path = folder / "zul_Latn" / "test.parquet"
    index = arrow.array([0] * 1_000_000, arrow.int32())
    texts = arrow.DictionaryArray.from_arrays(index, arrow.array(["x" * (1 << 20)]))
    ids = arrow.array([str(number) for number in range(1_000_000)])
    labels = arrow.DictionaryArray.from_arrays(index, arrow.array(["negative"]))
    parquet.write_table(arrow.table({"id": ids, "label": labels, "text": texts}), path, compression="zstd")
    assert path.stat().st_size < 20_000_000
    with pytest.raises(DataError, match=r"zul_Latn/test.parquet holds more than 2 GiB of text in the columns"):
        load(folder, toml)


def test_an_arrow_file_whose_one_text_stands_for_many(folder: Path) -> None:
    toml = write_all(folder, ".arrow")
    path = folder / "zul_Latn" / "test.arrow"
    index = arrow.array([0] * 4096, arrow.int32())
    columns = {
        "id": arrow.array([str(number) for number in range(4096)]),
        "label": arrow.DictionaryArray.from_arrays(index, arrow.array(["negative"])),
        "text": arrow.DictionaryArray.from_arrays(index, arrow.array(["x" * (1 << 20)])),
    }
    table = arrow.table(columns)
    with arrow.OSFile(str(path), "wb") as file, arrow.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(DataError, match=r"zul_Latn/test.arrow holds more than 2 GiB of text in the columns"):
        load(folder, toml)


def test_a_packed_file_that_unpacks_to_more_than_a_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlt_bench.io.text_files.LARGEST", 1000)
    toml = write_all(folder, ".json.gz")
    with gzip.open(folder / "zul_Latn" / "train.json.gz", "wb") as file:
        file.write(b"x" * 100_000)
    with pytest.raises(DataError, match=r"zul_Latn/train.json.gz has more than 0 GiB; split it"):
        load(folder, toml)


def test_a_split_that_holds_too_much(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_tables, "LARGEST", 50)
    with pytest.raises(DataError, match=r"eng_Latn/train.arrow holds more than 0 GiB of text"):
        load(folder, write_all(folder, ".arrow"))


def test_rows_without_text_may_be_left_out(folder: Path) -> None:
    without = lambda items: [*items[:1], {**items[1], "text": ""}, *items[2:]]  # noqa: E731
    toml = 'empty = "drop"\nitems = "overlapping"\n' + write_all(folder, ".jsonl", without)
    task = load(folder, toml)
    assert [example.id for example in task.split("deu_Latn", "dev").examples] == ["dev0", "dev2", "dev3"]
    assert len(task.split("eng_Latn", "dev")) == 4


def test_folders_with_names_of_their_own(folder: Path) -> None:
    before = load(folder, TOML).fingerprint
    (folder / "zul_Latn").rename(folder / "isizulu")
    toml = TOML.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "")
    tables = '[languages.eng_Latn]\n[languages.deu_Latn]\n[languages.zul_Latn]\nfolder = "isizulu"\n'
    assert load(folder, toml + tables).fingerprint == before


def test_train_data_of_another_source(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "en"
    other.mkdir(parents=True)
    write_json_lines(
        other / "train.jsonl", [{"n": 1, "sentence": "good", "class": 1}, {"n": 2, "sentence": "bad", "class": 0}]
    )
    toml = f"""
{TOML}
[splits]
train = {{ languages = ["eng_Latn"] }}

[[sources]]
splits = ["train"]
data = "../other"
files = "{{language}}/{{split}}.jsonl"
columns = {{ text = "sentence", label = "class" }}
"""
    toml = toml.replace('languages = ["eng_Latn", "deu_Latn", "zul_Latn"]', "")
    toml += '[languages.eng_Latn]\nfolder = "en"\n[languages.deu_Latn]\n[languages.zul_Latn]\n'
    (folder / "eng_Latn").rename(folder / "en")
    task = load(folder, toml)
    train = task.split("eng_Latn", "train")
    assert [(example.id, example.text) for example in train.examples] == [
        ("eng_Latn:train-1", "good"),  # its source has no ids: no other language has these items
        ("eng_Latn:train-2", "bad"),
    ]
    assert train.gold.tolist() == [1, 0]
    assert [example.id for example in task.split("deu_Latn", "dev").examples] == ["dev0", "dev1", "dev2", "dev3"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_no_file_can_have(name: str, folder: Path) -> None:
    escaped = name.replace("\0", "\\u0000")
    for toml in (f'data = "{escaped}"\n{TOML}', f'files = "{escaped}/{{language}}/{{split}}.tsv"\n{TOML}'):
        with pytest.raises(DataError, match=r"no folder|lacks") as caught:
            load(folder, toml)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 1000


LIGHT = """
import sys
from pathlib import Path
from xlt_bench.cli.main import main
from xlt_bench.tasks import task_info
main(["ls", "tasks"])
task_info("cldr").load(None)
task_info(sys.argv[1]).load(None)
assert not {"datasets", "pandas"} & set(sys.modules), sorted({"datasets", "pandas"} & set(sys.modules))
"""


def test_text_files_and_cldr_need_neither_datasets_nor_pandas(folder: Path) -> None:
    load(folder, write_all(folder, ".jsonl"))
    subprocess.run([sys.executable, "-c", LIGHT, str(folder)], check=True, capture_output=True)


BARE = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
absent = ("datasets", "pandas")
PathFinder.find_spec = staticmethod(
    lambda name, *more: None if name.partition(".")[0] in absent else find(name, *more)
)
from xlt_bench.cli.main import main
sys.exit(main(["run", "-m", "majority", "--sources", "eng_Latn", "--targets", "unseen", "--seeds", "1"]))
"""


def test_a_run_on_cldr_needs_neither(tmp_path: Path) -> None:
    """They are absent here; where pandas is installed, pyarrow imports it by itself."""
    subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True, cwd=tmp_path)


def test_without_datasets_the_way_out_is_named(folder: Path) -> None:
    load(folder, write_all(folder, ".parquet"))
    code = 'import sys; sys.modules["datasets"] = None\n' + LIGHT.rpartition("\nassert")[0]
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert "DataError: cannot read" in done.stderr
    assert "pip install datasets" in done.stderr
