"""The code, files and commands of docs/adding-a-task.md run as they stand there."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from tests.support import ROOT
from xlt_bench.cli.main import main
from xlt_bench.tasks import task_info, task_names
from xlt_bench.tasks.files import toml_task
from xlt_bench.tasks.files.description import KEYS

GUIDE = (ROOT / "docs/adding-a-task.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE, re.S | re.M)
FILES: Mapping[str, str] = {
    block.split()[1]: block.partition("\n")[2] for _, block in BLOCKS if re.match(r"# \S+\.(py|toml)\n", block)
}
COMMANDS = [shlex.split(line)[1:] for _, block in BLOCKS for line in block.splitlines() if line.startswith("xlt-bench")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the guide's files in it, the toy sentences made."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    runpy.run_path("make_reviews.py")
    return tmp_path


def test_the_files_of_the_guide() -> None:
    assert set(FILES) == {
        "make_reviews.py",
        "reviews/task.toml",
        "sizes.toml",
        "entailment/task.toml",
        "sentiment/task.toml",
        "inference/task.toml",
        "reviews.py",
        "digits.py",
    }


def test_the_commands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = "\n".join((folder / "reviews/eng_Latn/train.tsv").read_text(encoding="utf-8").splitlines()[:3])
    assert f"```\n{shown}\n```" in GUIDE
    assert len(COMMANDS) == 8
    for words in COMMANDS:
        quick = ["--seeds", "1", "--steps", "2"] if words == COMMANDS[0] else []
        assert main([*words, *quick]) == 0, words
    out = capsys.readouterr().out
    assert "slavic" in out
    assert "pacific" in out


def test_pairs_of_texts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("eng_Latn", "swh_Latn"):
        for split in ("train", "validation", "test"):
            if (language, split) != ("swh_Latn", "train"):
                path = folder / "entailment" / "data" / language / f"{split}-00000-of-00001.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                columns = {
                    "premise": [f"river {i}" for i in range(9)],
                    "hypothesis": [f"lake {i}" for i in range(9)],
                    "label": [i % 3 for i in range(9)],
                }
                parquet.write_table(arrow.table(columns), path)
    options = ["--task", "entailment", "--sources", "eng_Latn", "--seeds", "1"]
    assert main(["run", *options, "-m", "xpe", "--steps", "2"]) == 0
    assert main(["run", *options, "-m", "ngram-mlp"]) == 0
    assert "Task entailment" in capsys.readouterr().out


def test_a_data_set_of_the_hub_and_a_second_source(folder: Path) -> None:
    rows = {"text": ["a", "b", "c"], "label": [0, 1, 2]}
    for config in ("ind", "ace"):
        for split in ("train", "validation", "test"):
            path = folder / "copy" / config / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(arrow.table(rows), path)
    task = task_info("sentiment").load(folder / "copy")
    assert [example.id for example in task.split("ace_Latn", "dev").examples] == ["dev-1", "dev-2", "dev-3"]
    pairs = {"premise": ["a", "b"], "hypothesis": ["c", ""], "label": [0, 1]}
    source = folder / "inference" / "xnli" / "en"
    source.mkdir(parents=True)
    parquet.write_table(arrow.table(pairs), source / "train-00000-of-00001.parquet")
    for language in ("eng_Latn", "swh_Latn"):
        for split in ("dev", "test"):
            path = folder / "inference" / split / f"{language}.tsv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"id\tlabel\tpremise\thypothesis\n{split}1\tneutral\tx\ty\n", encoding="utf-8")
    task = task_info("inference").load(folder / "inference")
    assert [example.id for example in task.split("eng_Latn", "train").examples] == ["eng_Latn:train-1"]
    assert [example.id for example in task.split("swh_Latn", "test").examples] == ["test1"]


def test_the_table_of_shipped_tasks_names_them_all() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (?:hub|in the package|`--data-dir`)", GUIDE, re.M)
    assert sorted(rows) == sorted(task_names())


def test_the_table_of_keys_names_them_all() -> None:
    keys = set(re.findall(r"`\[*(\w+)\]*`", "".join(re.findall(r"^\| (`.*?) \|", GUIDE, re.M))))
    assert set(KEYS) <= keys


def test_known_languages_in_a_table(folder: Path) -> None:
    (table,) = (block for _, block in BLOCKS if block.startswith("[languages."))
    path = folder / "task.toml"
    path.write_text(f'name = "sorbian"\nlabels = ["a", "b"]\n{table}', encoding="utf-8")
    languages = toml_task(path).languages()
    assert [(one.name, one.joshi) for one in languages.values()] == [("English", 5), ("Upper Sorbian", 1)]


@pytest.mark.parametrize("name", ["reviews", "digits"])
def test_a_task_in_a_package(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = folder / "tasks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tasks\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[xlt_bench.tasks]\n{name} = my_{name}:INFO\n")
    (folder / f"{name}.py").rename(folder / f"my_{name}.py")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, f"my_{name}", raising=False)
    task = task_info(name).load(None)
    assert task.name == name
    assert len(task.split("deu_Latn", "test")) == {"reviews": 18, "digits": 4}[name]
    assert main(["run", "--task", name, "-m", "majority", "--sources", "eng_Latn", "--seeds", "1"]) == 0
