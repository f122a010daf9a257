"""Outlines of studies are remembered, and made anew as soon as anything that they came from is another."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.commands import process_environment
from tests.support.plugins import GOOD, write_plugin
from tests.support.toy import write_files
from xlt_bench.io import signatures
from xlt_bench.runs.request import Request
from xlt_bench.studies import outlines
from xlt_bench.studies.definition import read_study
from xlt_bench.studies.outlines import Outline, outline_of, study_outlines
from xlt_bench.studies.planning import plan_study

STUDY = """
title = "Toy study"
question = "Is it remembered?"
[[grid]]
methods = ["METHOD", "spt"]
sources = ["eng_Latn"]
targets = "swh_Latn"
seeds = 2
[report]
form = "board"
"""


@pytest.fixture
def folder(tmp_path: Path, tiny_backbone_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, whose files count as settled at once; Python finds no module in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 0)
    (tmp_path / "cache").mkdir()
    write_files(tmp_path / "toy")
    shutil.copytree(tiny_backbone_folder, tmp_path / "tiny")
    Path("study.toml").write_text(STUDY.replace("METHOD", write_plugin(tmp_path, GOOD)))
    return tmp_path


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """As many entries as studies were planned."""
    count: list[None] = []
    monkeypatch.setattr(outlines, "plan_study", lambda *given: (count.append(None), plan_study(*given))[1])
    return count


def request(folder: Path) -> Request:
    return Request(task=str(folder / "toy"), backbone="tiny", device="cpu", store=folder / "store")


def look(folder: Path) -> list[Outline]:
    """The outlines, which are always those of a plan that is made now."""
    study = read_study(Path("study.toml"))
    answer = study_outlines(study, request(folder))
    assert answer == [outline_of(planned) for planned in plan_study(study, request(folder))]
    return answer


def test_a_study_is_planned_once(folder: Path, plans: list[None]) -> None:
    first = look(folder)
    assert [(outline.method, outline.sources, len(outline.fingerprints)) for outline in first] == [
        ("plugin.py:Plugin", "eng_Latn", 2),
        ("spt", "eng_Latn", 2),
    ]
    assert look(folder) == first
    assert len(plans) == 1


CHANGES: dict[str, Callable[[], object]] = {
    "method": lambda: write_plugin(Path(), GOOD + "  # another"),
    "item": lambda: edit("toy/swh_Latn/test.tsv"),
    "description of the task": lambda: edit("toy/task.toml", "labels", "max_length = 16\nlabels"),
    "backbone": lambda: edit("tiny/tokenizer_config.json", "{", '{"another": 1, '),
    "study": lambda: edit("study.toml", "seeds = 2", "seeds = 3"),
}


def edit(name: str, text: str = "\tfood\t", other_text: str = "\tfood\tno ") -> None:
    path = Path(name)
    content = path.read_text()
    assert text in content
    path.write_text(content.replace(text, other_text, 1))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_has_changed_is_seen(folder: Path, plans: list[None], change: Callable[[], object]) -> None:
    first = look(folder)
    change()
    assert look(folder) != first
    assert len(plans) == 2


def test_a_module_that_a_method_imports_and_a_new_file_of_the_backbone_are_seen(
    folder: Path, plans: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = ModuleType("helper")
    helper.__file__ = str(folder / "helper.py")
    monkeypatch.setitem(sys.modules, "helper", helper)
    Path("helper.py").write_text("N = 1")
    look(folder)
    Path("helper.py").write_text("N = 10")
    look(folder)
    assert len(plans) == 2
    Path("tiny/added_tokens.json").write_text("{}")
    look(folder)
    assert len(plans) == 3


def test_other_places_of_modules_and_other_environments_are_other_questions(
    folder: Path, plans: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    look(folder)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    look(folder)
    monkeypatch.syspath_prepend(folder / "cache")
    look(folder)
    assert len(plans) == 3


def test_files_that_a_request_names_are_among_those_that_are_watched(folder: Path) -> None:
    (folder / "texts" / "inner").mkdir(parents=True)
    named = replace(
        request(folder), groups_file=Path("g.toml"), seen="s.toml", resources={"label-words": Path("texts")}
    )
    paths = set(outlines._named_files(named))
    assert paths == {Path("g.toml"), Path("s.toml"), Path("texts"), Path("texts/inner")}
    assert not list(outlines._named_files(replace(request(folder), seen="like:nano")))


@pytest.mark.parametrize("obstacle", ["left out", "hub", "just changed", "unwritable", "damaged"])
def test_what_cannot_be_vouched_for_is_planned_again(
    obstacle: str, folder: Path, plans: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle == "left out":
        edit("study.toml", '["eng_Latn"]', '["eng_Latn", "low-performing"]')  # a group that the task lacks
    elif obstacle == "hub":
        monkeypatch.setattr(outlines, "is_on_this_machine", lambda name: False)
    elif obstacle == "just changed":
        monkeypatch.setattr(signatures, "_SETTLED_NANOSECONDS", 60 * 10**9)
    elif obstacle == "unwritable":
        (folder / "cache").rmdir()
        (folder / "cache").write_text("no folder")
    look(folder)
    for path in (folder / "cache").rglob("*.json"):
        assert obstacle == "damaged"
        path.write_text(path.read_text()[:-9])
    look(folder)
    assert len(plans) == 2


def test_who_only_looks_imports_no_torch(folder: Path) -> None:
    edit("study.toml", '"spt"', '"ngram-mlp"')
    code = (
        "import sys, xlt_bench.io.signatures as signatures; from xlt_bench.cli.main import main\n"
        "signatures._SETTLED_NANOSECONDS = 0\n"
        "assert main(['study', 'status', 'study.toml', '--task', 'toy', '--backbone', 'tiny']) == 0\n"
        "print('torch' in sys.modules)"
    )
    answers = []
    for _ in range(2):
        process = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=process_environment(), check=False
        )
        assert process.returncode == 0, process.stderr
        answers.append(process.stdout.splitlines())
    assert [lines.pop() for lines in answers] == ["True", "False"]
    assert answers[0] == answers[1]
