"""What `check-task` counts, and what `run` says of texts that are cut."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.task_folder import TOML, write_task
from xlt_bench.cli.main import main
from xlt_bench.errors import ConfigError
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request
from xlt_bench.runs.text_lengths import cut_texts
from xlt_bench.task import SPLITS, Example, Labelled, Language, Split, Task
from xlt_bench.tasks.report import folded, is_odd, task_report
from xlt_bench.tasks.token_counts import TokenCounts, token_counts, too_long


def task_of(texts: dict[str, dict[Split, list[tuple[str, str, int]]]]) -> Task:
    """Code -> split -> (id, text, class)."""
    languages = {code: Language(code, code, "", "", None) for code in texts}
    data = {
        code: {
            split: Labelled(
                tuple(Example(item, code, text) for item, text, _ in splits.get(split, [])),
                np.array([gold for _, _, gold in splits.get(split, [])], np.int64),
            )
            for split in SPLITS
        }
        for code, splits in texts.items()
    }
    return Task("toy", ("no", "yes"), languages, data)


def test_equal_texts_are_counted_by_what_they_are() -> None:
    report = task_report(
        task_of(
            {
                "xx": {
                    "train": [("a", "It is good.", 1), ("b", "Bad", 0)],
                    "dev": [("c", "Neither", 0)],
                    "test": [
                        ("d", "it is GOOD!", 1),  # equal but for case and punctuation
                        ("e", "BAD", 1),  # of train, with another label
                        ("f", "neither ...", 0),  # of dev
                        ("g", "new", 1),
                        ("h", "New.", 0),  # of an earlier test item, with another label
                        ("i", "!?", 0),  # no letter
                    ],
                }
            }
        )
    )
    language = report.languages["xx"]
    assert language.items == {"train": 2, "dev": 1, "test": 6}
    assert (language.leaked, language.repeated, language.contradicted, language.odd) == (3, 1, 2, 1)
    assert report.classes == {"no": 3, "yes": 3}
    assert report.untrained == ()
    assert report.parallel == "one language"


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((["a", "b"], ["a", "b"]), "parallel: every language has every test item"),
        ((["a", "b", "c"], ["a"]), "50% of the test items are in every language"),
        ((["a"], ["b"]), "not parallel"),
    ],
)
def test_whether_items_are_shared(ids: tuple[list[str], list[str]], words: str) -> None:
    texts = {
        code: {"test": [(item, f"text {item}", 0) for item in items]} for code, items in zip("xy", ids, strict=True)
    }
    report = task_report(task_of(texts))  # type: ignore[arg-type]
    assert report.parallel == words
    assert report.untrained == ("no", "yes")


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("good", False),
        ("42", False),
        ("...", True),
        ("a\ufffdb", True),
        ("a\x00b", True),
        ("two\nlines", False),
        ("日本", False),
    ],
)
def test_odd_texts(text: str, odd: bool) -> None:
    assert is_odd(Example("a", "xx", text)) == odd
    assert is_odd(Example("a", "xx", "fine", text)) == odd


def test_marks_of_scripts_are_part_of_a_text() -> None:
    first, second = Example("a", "xx", "कि"), Example("b", "xx", "की")
    assert folded(first) != folded(second)
    assert folded(Example("a", "xx", "a", "b")) != folded(Example("a", "xx", "ab"))


class Letters:
    """A tokenizer with a token a letter, and one at either end; `?` is unknown."""

    unk_token_id = 0

    def __call__(self, texts: list[str], pairs: list[str] | None = None, **_: object) -> dict[str, list[list[int]]]:
        joined = texts if pairs is None else [f"{text}{pair}" for text, pair in zip(texts, pairs, strict=True)]
        return {"input_ids": [[9, *(0 if letter == "?" else ord(letter) for letter in text), 9] for text in joined]}


def test_tokens_of_a_language() -> None:
    examples = {"xx": [Example("a", "xx", text) for text in ("a", "abc", "abc?", "abcdefgh")], "yy": []}
    counts = token_counts(examples, Letters(), 6)  # type: ignore[arg-type]
    assert counts == {"xx": TokenCounts(median=5.5, longest=10, cut=0.25, unknown=1 / 24)}
    assert token_counts(examples, Letters(), 6, "q: ")["xx"].longest == 13  # type: ignore[arg-type]
    pair = {"xx": [Example("a", "xx", "ab", "cd")]}
    assert token_counts(pair, Letters(), 6)["xx"] == TokenCounts(6.0, 6, 0.0, 0.0)  # type: ignore[arg-type]


def test_languages_of_which_too_much_is_cut() -> None:
    counts = {code: TokenCounts(1, 1, share, 0) for code, share in (("a", 0.05), ("b", 0.06), ("c", 0.5))}
    assert list(too_long(counts)) == ["c", "b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews")
    return tmp_path / "reviews"


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-task", str(folder), "--max-length", "5"]) == 0
    output = capsys.readouterr().out
    assert "reviews: 2 classes, 3 languages; from task.toml" in output
    assert "parallel: every language has every test item" in output
    assert "negative 50%, positive 50%" in output
    assert "more than 5% of the texts are cut at 5 tokens in 3 languages" in output
    (row,) = [line.split() for line in output.splitlines() if line.startswith("zul_Latn")]
    assert row[:8] == ["zul_Latn", "8", "4", "6", "6", "0", "0", "0"]  # the toy's splits share texts


def test_the_command_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-task", str(folder), "--json", "--backbone", "none"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["languages"]["eng_Latn"]["items"] == {"train": 8, "dev": 4, "test": 6}
    assert "tokens" not in report["languages"]["eng_Latn"]
    assert report["shared"] == 1.0


def test_a_backbone_that_is_not_at_hand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-task", str(folder), "--backbone", "nosuch"]) == 0
    captured = capsys.readouterr()
    assert "tokens are not counted: no backbone 'nosuch'" in captured.err
    assert "zul_Latn" in captured.out


def test_a_task_that_breaks_a_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "zul_Latn" / "dev.tsv").write_text("id\tlabel\ttext\n", encoding="utf-8")
    assert main(["check-task", str(folder)]) == 2
    assert "zul_Latn/dev.tsv has no items" in capsys.readouterr().err


def request(folder: Path, store: Path, **options: object) -> Request:
    values = {
        "method": "spt",
        "task": str(folder),
        "sources": "eng_Latn",
        "targets": "zul_Latn",
        "store": store,
        **options,
    }
    return Request(**values)  # type: ignore[arg-type]


def test_a_run_says_how_many_texts_are_cut(folder: Path, tmp_path: Path) -> None:
    assert list(cut_texts(prepare(request(folder, tmp_path / "store")))) == []
    experiment = prepare(request(folder, tmp_path / "store", max_length=5))
    (note,) = cut_texts(experiment)
    assert note.startswith("more than 5% of the texts are cut at 5 tokens in ")
    assert "zul_Latn 100%" in note
    assert "--max-length takes more" in note
    assert experiment.setup.recipe.max_length == 5
    assert experiment.setup.label == "spt, 5 tokens"
    assert list(cut_texts(prepare(request(folder, tmp_path / "store", max_length=5, method="majority")))) == []


def test_the_length_that_a_task_asks_for(folder: Path, tmp_path: Path) -> None:
    (folder / "task.toml").write_text(f"max_length = 48\n{TOML}", encoding="utf-8")
    experiment = prepare(request(folder, tmp_path / "store"))
    assert experiment.setup.recipe.max_length == 48
    assert experiment.setup.label == "spt"
    assert prepare(request(folder, tmp_path / "store", max_length=64)).setup.recipe.max_length == 64


@pytest.mark.parametrize("length", [0, 3, -1, 2.5, True])
def test_a_length_that_leaves_nothing(length: object, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--max-length must be a whole number of at least 4, not"):
        prepare(request(folder, tmp_path / "store", max_length=length))
