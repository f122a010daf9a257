"""Clusters of test items: from a column, from the first texts of pairs, from ids; and clusters with faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from tests.support.task_folder import CODES, write_task
from xlt_bench.errors import DataError, StoreError
from xlt_bench.records.answers import sheet_of
from xlt_bench.records.cell import Cell
from xlt_bench.records.predictions_file import PREDICTIONS
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store
from xlt_bench.task import Task
from xlt_bench.tasks.checking import faults
from xlt_bench.tasks.clusters import linked, neighbours
from xlt_bench.tasks.files import toml_task
from xlt_bench.tasks.sib200.articles import nearest_classes

LABELS = ("yes", "no")
PREMISES = ("a", "a", "b", "c", "c", "c")


def write(folder: Path, named: str, articles: dict[str, tuple[str, ...]], items: str = "parallel") -> Path:
    """Pairs of texts with an article each in the test items of each language; train and dev have no such column."""
    for code in ("eng_Latn", "deu_Latn"):
        (folder / code).mkdir(parents=True, exist_ok=True)
        for split in ("train", "dev"):
            rows = "".join(f"{split}{n}\t{LABELS[n % 2]}\tone {n}\ttwo\n" for n in range(4))
            (folder / code / f"{split}.tsv").write_text(f"id\tlabel\ttext\tmore\n{rows}", encoding="utf-8")
        rows = "".join(
            f"test{n}\t{LABELS[n % 2]}\t{code} premise {premise}\ttwo\t{article}\n"
            for n, (premise, article) in enumerate(zip(PREMISES, articles[code], strict=True))
        )
        (folder / code / "test.tsv").write_text(f"id\tlabel\ttext\tmore\tarticle\n{rows}", encoding="utf-8")
    toml = f'labels = ["yes", "no"]\nlanguages = ["eng_Latn", "deu_Latn"]\nitems = "{items}"\n'
    (folder / "task.toml").write_text(f'{toml}[columns]\nid = "id"\n{named}\n', encoding="utf-8")
    return folder / "task.toml"


def load(path: Path) -> Task:
    return toml_task(path).load(None)


BOTH = dict.fromkeys(("eng_Latn", "deu_Latn"), ("x", "y", "y", "z", "z", "v"))


def test_a_column_gives_the_clusters(tmp_path: Path) -> None:
    task = load(write(tmp_path, 'cluster = "article"', BOTH))
    assert task.clusters == {
        "test0": "test0", "test1": "test1", "test2": "test1", "test3": "test3", "test4": "test3", "test5": "test5"
    }  # fmt: skip


def test_pairs_are_clustered_by_their_first_texts_unless_a_column_is_named(tmp_path: Path) -> None:
    task = load(write(tmp_path, 'text_pair = "more"', BOTH))
    assert list(task.clusters.values()) == ["test0", "test0", "test2", "test3", "test3", "test3"]
    assert load(write(tmp_path, 'text_pair = "more"\ncluster = "id"', BOTH)).clusters == {}
    assert load(write(tmp_path, "", BOTH)).clusters == {}


def test_items_that_share_a_cluster_in_one_language_share_it(tmp_path: Path) -> None:
    articles = {"eng_Latn": tuple("112345"), "deu_Latn": tuple("122345")}
    task = load(write(tmp_path, 'cluster = "article"', articles))
    assert list(task.clusters.values()) == ["test0", "test0", "test0", "test3", "test4", "test5"]
    separate = load(write(tmp_path, 'cluster = "article"', articles, items="separate"))
    assert len(set(separate.clusters.values())) == 10, "items of two languages have nothing in common"


def test_clusters_do_not_change_what_the_task_is(tmp_path: Path) -> None:
    without = load(write(tmp_path, "", BOTH))
    assert load(write(tmp_path, 'cluster = "article"', BOTH)).fingerprint == without.fingerprint


@pytest.mark.parametrize("gap", ["", "  "])
def test_a_cluster_column_with_gaps(tmp_path: Path, gap: str) -> None:
    path = write(tmp_path, 'cluster = "article"', BOTH | {"deu_Latn": ("x", "y", gap, "z", "z", "v")})
    with pytest.raises(DataError, match=r"deu_Latn/test\.tsv, line 4: 'article' is empty; every test item needs its"):
        load(path)


def test_a_cluster_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: no column 'articles'; did you mean 'article'"):
        load(write(tmp_path, 'cluster = "articles"', BOTH))


def test_a_package_must_give_every_test_item_a_cluster(tmp_path: Path) -> None:
    task = toml_task(write_task(tmp_path / "reviews")).load(None)
    items = [example.id for example in task.split(CODES[0], "test").examples]
    assert not list(faults(replace(task, clusters=dict.fromkeys(items, "one"))))
    fault = next(faults(replace(task, clusters=dict.fromkeys(items[:-1], "one"))))
    assert fault == f"clusters lacks test item '{items[-1]}'; it must give every test item a cluster, or be empty"


def test_linked_follows_chains_and_names_clusters_by_their_first_item() -> None:
    shared = {"a": [1], "b": [2], "c": [2, 3], "d": [3, 1], "e": [4]}
    assert linked(shared) == {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e"}
    assert linked({"a": [1], "b": [2]}) == linked({}) == {}


def test_neighbours_follow_each_other_closely() -> None:
    numbers = {"9": 9, "2": 2, "4": 4, "7": 7, "14": 14}
    assert neighbours(numbers, 2) == {"2": "2", "4": "2", "7": "7", "9": "7", "14": "14"}
    assert neighbours(numbers, 1) == {}


def test_the_nearest_train_item_is_the_lower_of_two() -> None:
    assert nearest_classes({"3": "travel", "10": "sports", "7": "health"}, ["1", "5", "8", "9", "99"]) == {
        "1": "travel", "5": "travel", "8": "health", "9": "sports", "99": "sports"
    }  # fmt: skip


def predictions(clusters: list[str | None]) -> Predictions:
    columns = (["x"] * 3, ["1", "2", "3"], ["a", "b", "a"], ["a", "a", "a"], clusters)
    return Predictions(*(np.array(column, object) for column in columns))


def record_of(answers: Predictions) -> Record:
    cell = Cell(
        "toy", "t" * 16, "none", "none", "majority", {}, None, None, ("y",), "zero-shot", ("x",), "fp32", seed=0
    )  # fmt: skip
    groups = {"all": ("x",)}
    return Record(cell, "majority", "y", groups, "complete", item_hash=answers.item_hash(), labels=("a", "b", "c"))


def test_a_record_keeps_clusters_and_its_hash_covers_them(tmp_path: Path) -> None:
    answers = predictions(["p", "p", "q"])
    record = record_of(answers)
    store = Store(tmp_path)
    folder = store.write(record, answers)
    assert store.predictions(record).cluster is not None
    assert store.sheet(record).clusters == ("p", "p", "q")
    assert store.sheet(record).labels == ("a", "b", "c")
    store.write(record, predictions(["p", "q", "q"]))
    with pytest.raises(StoreError, match=r"does not hold the items that its record\.json speaks of"):
        store.sheet(record)
    table = parquet.read_table(folder / PREDICTIONS)
    gaps = table.set_column(4, "cluster", arrow.array(["p", None, None], arrow.string()))
    parquet.write_table(gaps, folder / PREDICTIONS)
    with pytest.raises(StoreError, match=r"column cluster has gaps: 2 of 3 values are missing"):
        store.sheet(record)


def test_what_no_sheet_can_be_made_of() -> None:
    with pytest.raises(ValueError, match="gold label 'b' is none of the task's classes \\(a\\)"):
        sheet_of(predictions(["p", "p", "q"]), ["a"])
    twice = predictions(["p", "p", "q"])
    twice.item_id[:] = ["1", "2", "1"]
    twice.language[:] = ["x", "x", "y"]
    with pytest.raises(ValueError, match="item '1' is in two clusters, 'p' and 'q'"):
        sheet_of(twice, ["a", "b"])
