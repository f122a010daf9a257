"""Answers of a language model to the test items of any task."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.task_folder import CODES, LABELS, TOML, write_task
from xlt_bench.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_task(tmp_path / "reviews", TOML.replace('id = "id"', ""))  # items of two languages have nothing in common
    return tmp_path


def answers(folder: Path, change: str = "") -> Path:
    lines = ["language\tindex_id\tgold\tanswer"]
    for code in CODES:
        for number in range(1, 7):
            gold = LABELS[(number - 1) % 2]
            lines.append(f"{code}\t{code}:test-{number}\t{gold}\tIt is {gold if number < 5 else 'unclear'}.")
    path = folder / "answers.tsv"
    path.write_text("\n".join(lines).replace("deu_Latn:test-2", change or "deu_Latn:test-2") + "\n", encoding="utf-8")
    return path


def test_answers_to_a_task_of_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--task", str(folder / "reviews"), "--store", str(folder / "store")]
    assert main(["import-baseline", str(answers(folder)), "--name", "My LLM", *options]) == 0
    output = capsys.readouterr().out
    assert "My LLM: 18 answers in 3 languages" in output
    assert "6 of them name no class by the rule first-mention" in output
    assert main(["leaderboard", "--store", str(folder / "store"), "--format", "json"]) == 0
    board = capsys.readouterr().out
    assert '"My LLM"' in board
    assert "0.666667" in board


def test_an_item_that_the_language_does_not_have(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = answers(folder, "eng_Latn:test-2")
    assert main(["import-baseline", str(path), "--name", "My LLM", "--task", str(folder / "reviews")]) == 2
    error = capsys.readouterr().err
    assert "answers.tsv, line 9: index_id 'eng_Latn:test-2' is none of the 6 test items" in error
