"""Tasks of one's own from run to board, also when the board no longer knows the task."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.task_folder import TOML, write_task
from xlt_bench.cli.main import main
from xlt_bench.leaderboard.data.facts import language_facts, task_groups

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`xlt-bench` in a folder that has a task in `reviews`."""
    write_task(tmp_path / "reviews", TOML + '[groups]\nbantu = ["zul_Latn"]\n')
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_from_run_to_board(command: Command) -> None:
    code, out, err = command("run", "--task", "reviews", "-m", "majority", "--seeds", "2", "--targets", "bantu,unseen")
    assert (code, err.count("error")) == (0, 0)
    assert "Task reviews (data " in out
    shutil.rmtree("reviews")  # the task is gone, its Records are not
    code, out, _ = command("leaderboard", "--task", "reviews", "--format", "json")
    assert code == 0
    (board,) = json.loads(out)["boards"]
    assert board["task"] == "reviews"
    (section,) = board["sections"]
    assert section["groups"] == {"unseen": ["zul_Latn"], "bantu": ["zul_Latn"]}
    assert command("leaderboard", "--task", "reviews", "-o", "board.html")[0] == 0
    assert "Zulu" in Path("board.html").read_text(encoding="utf-8")


def test_filters_of_a_board_of_an_own_task(command: Command) -> None:
    command("run", "--task", "reviews/task.toml", "-m", "majority", "--seeds", "1", "--sources", "eng_Latn")
    command("run", "--task", "reviews", "-m", "majority", "--seeds", "1", "--sources", "deu_Latn")
    for task in ("reviews", "reviews/task.toml", "./reviews"):
        code, out, _ = command("leaderboard", "--task", task, "--sources", "eng_Latn", "--targets", "zul_Latn")
        assert code == 0
        assert "eng_Latn" in out
        assert "deu_Latn" not in out
    code, _, err = command("leaderboard", "--task", "review")
    assert (code, err) == (2, "error: no task 'review'; did you mean 'reviews'? see: xlt-bench ls tasks\n")
    code, _, err = command("leaderboard", "--task", "reviews", "--sources", "pol_Latn")
    assert code == 2
    assert err.startswith("error: --sources 'pol_Latn': 'pol_Latn' is none of the task's 3 languages")
    code, out, _ = command("compare", "majority:eng_Latn", "majority:deu_Latn", "--task", "reviews")
    assert code == 0
    assert "Task reviews;" in out


def test_facts_of_tasks_that_are_not_installed() -> None:
    facts = language_facts("reviews", "nano", ["zul_Latn", "xx"])
    assert [(code, one.name, one.family, one.seen) for code, one in facts.items()] == [
        ("zul_Latn", "Zulu", "Atlantic-Congo", None)
    ]
    assert task_groups("reviews", "nano") == {}
    assert len(language_facts("cldr", "nano", ["zul_Latn"])) == 124


def test_files_are_checked_before_anything_runs(command: Command) -> None:
    path = Path("reviews/deu_Latn/train.tsv")
    path.write_text(path.read_text(encoding="utf-8").replace("positive", "positiv", 1), encoding="utf-8")
    code, out, err = command("run", "--task", "reviews", "-m", "majority")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: reviews/deu_Latn/train.tsv, line 3: unknown label 'positiv'; the labels are negative")
    assert not Path("xlt-results").exists()


def test_commands_that_look_at_a_task_of_files(command: Command) -> None:
    code, out, _ = command("ls", "groups", "--task", "reviews")
    assert code == 0
    assert "bantu" in out
    assert "codes (reviews, backbone nano)" in out
    code, _, err = command("ls", "groups", "--task", "reviews", "--backbone", "nosuch")
    assert (code, err.count("\n")) == (2, 1)
    assert "no backbone 'nosuch'" in err


def test_groups_of_a_file_for_any_task(command: Command) -> None:
    Path("my.toml").write_text('[groups]\nafrican = ["zul_Latn"]\n', encoding="utf-8")
    for task, name in (("reviews", "african"), ("cldr", "african")):
        options = ["--task", task, "--groups", "my.toml"]
        assert "african" in command("ls", "groups", *options)[1]
        code, out, err = command("run", *options, "-m", "majority", "--seeds", "1", "--targets", f"{name},unseen")
        assert code == 0, err
        assert "african" in out
    (cldr,) = (board for board in json.loads(command("leaderboard", "--task", "cldr", "--format", "json")[1])["boards"])
    assert cldr["sections"][0]["groups"]["african"] == ["zul_Latn"]


def test_a_groups_file_that_does_not_fit(command: Command) -> None:
    Path("my.toml").write_text('[groups]\nbantu = ["zul_Latn"]\n', encoding="utf-8")
    code, out, err = command("run", "--task", "reviews", "-m", "majority", "--groups", "my.toml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "my.toml: group 'bantu' is already known for task reviews and backbone nano" in err
    code, _, err = command("run", "-m", "majority", "--groups", "none.toml")
    assert (code, "cannot read none.toml" in err) == (2, True)


def test_sources_without_train_items_are_refused(command: Command) -> None:
    splits = '[splits]\ntrain = { languages = ["eng_Latn"] }\n'
    Path("reviews/task.toml").write_text(TOML + splits, encoding="utf-8")
    options = ("run", "--task", "reviews", "-m", "majority", "--seeds", "1")
    code, out, err = command(*options, "--sources", "joshi5")
    assert (code, out) == (2, "")
    assert err == (
        "error: --sources 'joshi5': task reviews has no train and dev split for deu_Latn; it has them for eng_Latn\n"
    )
    code, _, err = command(*options, "--sources", "none", "--targets", "eng_Latn,zul_Latn")
    assert (code, "--protocol full: task reviews has no train and dev split for zul_Latn" in err) == (2, True)
    code, out, _ = command(*options, "--sources", "eng_Latn")
    assert code == 0
    assert "eng_Latn" in out


def test_the_same_data_under_two_names_in_one_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Floors of the other name are no rows of this board; both boards are shown."""
    for name in ("reviews", "copy"):
        write_task(tmp_path / name)
        command = ["run", "-m", "majority", "--task", str(tmp_path / name), "--sources", "eng_Latn", "--seeds", "1"]
        assert main([*command, "--store", str(tmp_path / "store")]) == 0
        assert f"Task {name} " in capsys.readouterr().out
    assert main(["leaderboard", "--store", str(tmp_path / "store")]) == 0
    output = capsys.readouterr().out
    assert "Task reviews " in output
    assert "Task copy " in output
