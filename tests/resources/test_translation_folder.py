"""Translations in a user's files: what an item gets, what identifies a run with them, and which files are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.toy import toy_task
from tests.support.translations import TARGETS, write_lines, write_translations
from xlt_bench.errors import ConfigError, DataError
from xlt_bench.resources import Scope, Supply, contents, identities, rendered, supplies
from xlt_bench.task import Labelled, Task

TASK = toy_task()
SCOPE = Scope(TASK, ("eng_Latn",), TARGETS)
NAMES = ("translate-train", "translated-test")


def supply(name: str, path: Path | None, scope: Scope = SCOPE) -> Supply:
    return supplies(frozenset({name}), {name: path} if path else {}, scope)[name]


def lines_of(task: Task, code: str = "kat_Geor") -> list[str]:
    return [f"{example.id}\tword" for example in task.split(code, "test").examples]


def test_the_tasks_own_texts_in_a_folder_are_what_items_have_without_one(tmp_path: Path) -> None:
    folder = write_translations(tmp_path)
    worlds = [rendered(TASK, contents({name: supply(name, path) for name in NAMES})).data for path in (None, folder)]
    for code in TASK.languages:
        for split in ("train", "dev", "test"):
            assert worlds[0][code][split].examples == worlds[1][code][split].examples


def test_lines_stand_in_any_order_and_further_columns_are_not_read(tmp_path: Path) -> None:
    ids = [example.id for example in TASK.split("kat_Geor", "test").examples]
    lines = [f"animals\tthe text of {item}\t{item}" for item in ids]
    write_lines(tmp_path, "kat_Geor", "test", ["label\ttext\tid", *lines[::-1]])
    scope = replace(SCOPE, targets=("kat_Geor",))
    content = supply("translated-test", tmp_path, scope).content
    assert [text.text for text in content["kat_Geor"]["test"]] == [f"the text of {item}" for item in ids]


def test_pairs_have_pairs_and_quoted_texts_are_unquoted(tmp_path: Path) -> None:
    pairs = tuple(example._replace(text_pair="x") for example in TASK.split("kat_Geor", "test").examples[:1])
    part = Labelled(pairs, np.zeros(1, np.int64))
    task = replace(TASK, data={**TASK.data, "kat_Geor": {**TASK.data["kat_Geor"], "test": part}})
    scope = Scope(task, ("eng_Latn",), ("kat_Geor",))
    path = write_lines(tmp_path, "kat_Geor", "test", ["id\ttext\ttext_pair", 'test0\t"""No"", he said"\tHe did not.'])
    (text,) = supply("translated-test", tmp_path, scope).content["kat_Geor"]["test"]
    assert text == ('"No", he said', "He did not.")
    path.write_text("id\ttext\ntest0\ta\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 1: the columns are id, text; it needs 'text_pair', once"):
        supply("translated-test", tmp_path, scope)


def test_a_task_without_parallel_items_is_served_by_the_ids_of_its_files(tmp_path: Path) -> None:
    """Where languages share no items, an id has its language before it; files of one language leave it out or not."""
    task = separate(TASK)
    scope = replace(SCOPE, task=task)
    with pytest.raises(
        ConfigError, match=r"share no id .* give translations \(--resource translated-test=FOLDER\), leave"
    ):
        supply("translated-test", None, scope)
    folder = write_translations(tmp_path, task=task)
    expected = [(example.text, None) for example in task.split("eng_Latn", "test").examples]
    assert list(supply("translated-test", folder, scope).content["kat_Geor"]["test"]) == expected
    lines = [f"{example.id}\tword" for example in task.split("kat_Geor", "test").examples]
    assert lines[0].startswith("kat_Geor:")
    write_lines(folder, "kat_Geor", "test", ["id\ttext", *lines])
    assert {text.text for text in supply("translated-test", folder, scope).content["kat_Geor"]["test"]} == {"word"}


def separate(task: Task) -> Task:
    """The same task, of whose items no two languages share one."""
    data = {
        code: {
            split: Labelled(tuple(item._replace(id=f"{code}:{item.id}") for item in part.examples), part.gold)
            for split, part in splits.items()
        }
        for code, splits in task.data.items()
    }
    return replace(task, data=data)


def test_rows_with_a_folder_have_an_identity_and_a_note_of_their_own(tmp_path: Path) -> None:
    supplied = {
        "task": supply("translated-test", None),
        "copy": supply("translated-test", write_translations(tmp_path / "people")),
        "machine": supply("translated-test", write_translations(tmp_path / "nllb", " too")),
    }
    keys = {name: identities({"translated-test": given}) for name, given in supplied.items()}
    assert [*keys["task"]] == ["translated-test"]
    assert [*keys["copy"]] == [*keys["machine"]] == ["translated-test (folder)"]
    assert keys["copy"] != keys["machine"]
    assert [given.note for given in supplied.values()] == [
        "Read each test item in eng_Latn too, as people translated it: an upper bound, not a system.",
        "Read each test item in eng_Latn too, as a folder 'people' has it; 24 of its texts are the task's own.",
        "Read each test item in eng_Latn too, as a folder 'nllb' has it.",
    ]


def test_the_identity_without_a_folder_is_what_it_was() -> None:
    given = {name: supply(name, None) for name in NAMES}
    assert identities(given) == {"translate-train": "9dd79206d3067071", "translated-test": "cf4b9933de2664d8"}


def test_missing_folders_and_languages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"--resource translated-test: no folder '.*nowhere'; give one with a file of"
    ):
        supply("translated-test", tmp_path / "nowhere")
    write_translations(tmp_path, targets=("kat_Geor",))
    with pytest.raises(ConfigError, match=r"lacks tha_Thai/test.tsv; write the file, .* or leave the language out of"):
        supply("translated-test", tmp_path)
    with pytest.raises(ConfigError, match=r"lacks tha_Thai/train.tsv, tha_Thai/dev.tsv; write"):
        supply("translate-train", tmp_path)
    with pytest.raises(ConfigError, match=r"translated-test is what items are in a source language, and --sources is"):
        supply("translated-test", tmp_path, replace(SCOPE, sources=()))


BREAKS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "an item is missing": (
        lambda lines: [*lines[:3], *lines[5:]],
        r"test.tsv: no translation of item test2, test3; every",
    ),
    "an item is there twice": (
        lambda lines: [*lines, lines[1]],
        r"line 14: item 'test0' is already in line 2; leave one",
    ),
    "an item is none of the task's": (lambda lines: [*lines, "test99\tword"], r"line 14: no item of the task 'test99'"),
    "a text is empty": (lambda lines: [*lines[:-1], "test11\t "], r"line 13: 'text' of item 'test11' is empty; every"),
    "a column is missing": (
        lambda lines: ["id\tword", *lines[1:]],
        r"line 1: the columns are id, word; it needs 'text'",
    ),
    "there is no header": (lambda lines: lines[1:], r"line 1: the columns are test0, word; it needs 'id', once"),
    "a column is there twice": (lambda lines: ["id\ttext\ttext"], r"line 1: the columns are .* it needs 'text', once"),
    "a text has a tab": (
        lambda lines: [*lines[:2], "test1\ta\tb"],
        r"line 3: 3 columns, not 2 as in the header; correct",
    ),
    "a quotation mark is open": (
        lambda lines: [*lines, 'test1\t"a'],
        r"line 14: unexpected end of data; .* csv: a field",
    ),
    "the file is empty": (lambda lines: [], r"line 1: the columns are missing; it needs 'id', once"),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_files_that_break_a_rule_are_refused_with_the_line(fault: str, tmp_path: Path) -> None:
    change, message = BREAKS[fault]
    write_translations(tmp_path)
    write_lines(tmp_path, "kat_Geor", "test", change(["id\ttext", *lines_of(TASK)]))
    with pytest.raises(DataError, match=message):
        supply("translated-test", tmp_path)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = write_translations(tmp_path) / "tha_Thai" / "test.tsv"
    path.write_bytes(path.read_bytes().replace(b"id\ttext\n", "id\ttext\n".encode("utf-16")))
    with pytest.raises(DataError, match=r"tha_Thai/test.tsv, line 1: byte 0 is not UTF-8; write it as UTF-8"):
        supply("translated-test", tmp_path)
