"""Tasks by entry point of another package and by path: what is found, and what may be wrong with it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.task_folder import write_task
from xlt_bench.cli import listing
from xlt_bench.errors import ConfigError, DataError, XltBenchError
from xlt_bench.plugins import registry
from xlt_bench.plugins.importing import watched
from xlt_bench.plugins.registry import TASKS, entries
from xlt_bench.tasks import task_info, task_names

Install = Callable[..., None]

GOOD = """
import numpy as np
from xlt_bench.task import SPLITS, Example, Labelled, Language, Task, TaskInfo

LABELS = ("no", "yes")
LANGUAGES = {code: Language(code, code, "Latn", "", None) for code in ("aa", "bb")}

def part(code, split):
    return Labelled((Example(f"{split}0", code, "x"), Example(f"{split}1", code, "y", "z")), np.array([0, 1]))

def data():
    return {code: {split: part(code, split) for split in SPLITS} for code in LANGUAGES}

def load(folder):
    return Task("mine", LABELS, LANGUAGES, data())

def groups(backbone):
    return {"all": frozenset(LANGUAGES)}

INFO = TaskInfo("mine", "a plug-in", "nano", "cldr", 3, load, groups)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with one task on the path, as an installer would: a module and its metadata."""

    def call(code: str, name: str = "mine", module: str = "my_task_package", value: str = "INFO") -> None:
        site = tmp_path / f"site-{module}"
        metadata = site / f"{module}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[xlt_bench.tasks]\n{name} = {module}:{value}\n")
        (site / f"{module}.py").write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.syspath_prepend(site)

    return call


def test_a_package_that_is_installed_later_is_seen(install: Install, tmp_path: Path) -> None:
    """Into a folder that Python looked through before, as `pip install` in a notebook does it."""
    install(GOOD)
    assert "later" not in task_names()
    metadata = tmp_path / "site-my_task_package" / "later-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: later\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[xlt_bench.tasks]\nlater = my_task_package:INFO\n")
    assert "later" in task_names()


def test_a_task_of_another_package(install: Install) -> None:
    install(GOOD)
    assert task_names()[0] == "cldr"
    assert "mine" in task_names()
    task = task_info("mine").load(None)
    assert task.split("bb", "test").examples[1] == ("test1", "bb", "y", "z", None)
    assert task_info("mine").groups("nano") == {"all": {"aa", "bb"}}
    assert task_info("mine").languages() == {}


def test_a_package_that_ships_files(install: Install, tmp_path: Path) -> None:
    path = write_task(tmp_path / "reviews")
    install(f"from xlt_bench.tasks.files import toml_task\nINFO = toml_task({str(path)!r})", "reviews")
    assert len(task_info("reviews").load(None).split("zul_Latn", "test")) == 6
    with pytest.raises(
        ConfigError, match=r"task.toml: an installed task has the name 'reviews'; give yours another, or"
    ):
        task_info(str(path))


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


IMPORT_FAULTS = {
    "raises": ("import not_there_at_all", "cannot be imported: ModuleNotFoundError: No module named"),
    "exits": ("import sys; sys.exit('usage')", "cannot be imported: SystemExit: usage"),
    "nothing of the name": ("X = 1", "cannot be imported: AttributeError"),
    "no task": ("INFO = 3", "must lead to a TaskInfo of that name, not to int"),
    "another name": (
        changed('TaskInfo("mine"', 'TaskInfo("other"'),
        "must lead to a TaskInfo of that name, not to a task",
    ),
}


@pytest.mark.parametrize("what", IMPORT_FAULTS)
def test_a_broken_package_is_named_and_the_others_go_on(what: str, install: Install) -> None:
    code, message = IMPORT_FAULTS[what]
    install(code)
    with pytest.raises(DataError) as caught:
        task_info("mine")
    assert "task 'mine'" in str(caught.value)
    assert "my_task_package:INFO" in str(caught.value)
    assert message in str(caught.value)
    assert task_info("cldr").name == "cldr"
    shown = io.StringIO()
    Console(file=shown, width=200).print(listing.tasks())
    assert "cannot be used: task 'mine'" in shown.getvalue()
    assert "what kind of thing is named?" in shown.getvalue()


LOAD_FAULTS = {
    "raises": (changed('    return Task("mine"', '    1 / 0\n    return Task("mine"'), "load raises ZeroDivisionError"),
    "no Task": (
        changed('    return Task("mine"', '    return 3\n    return Task("mine"'),
        "must return a Task, not int",
    ),
    "name": (changed('Task("mine"', 'Task("other"'), "it calls itself 'other'"),
    "labels": (changed('("no", "yes")', '("no", "no")'), "labels must be at least 2 different classes"),
    "code": (changed('("aa", "bb")', '("aa", "none")'), "'none' has a meaning of its own"),
    "language without data": (
        changed("for code in LANGUAGES}\n\ndef load", 'for code in ["aa"]}\n\ndef load'),
        "data of bb",
    ),
    "no test items": (
        changed(
            "def data():",
            "def part(code, split, old=part):\n    return old(code, split).take([0][split == 'test':])\ndef data():",
        ),
        "aa has no test items",
    ),
    "class": (
        changed("np.array([0, 1])", "np.array([0, 2])"),
        "aa train, id 'train1': its class 2 is no position in 2",
    ),
    "id twice": (changed('f"{split}1"', 'f"{split}0"'), "aa train, id 'train0': the id is there twice"),
    "one id in two splits": (changed('f"{split}1"', '"one"'), "aa dev, id 'one': the id is"),
    "empty text": (changed('"x")', '" ")'), "aa train, id 'train0': its text is empty"),
    "empty pair": (changed('"y", "z"', '"y", ""'), "aa train, id 'train1': its text is empty"),
    "language": (changed('f"{split}0", code', 'f"{split}0", "aa"'), "bb train, id 'train0': its language is 'aa'"),
}


@pytest.mark.parametrize("what", LOAD_FAULTS)
def test_a_task_from_code_is_checked_when_it_is_loaded(what: str, install: Install) -> None:
    code, message = LOAD_FAULTS[what]
    install(code)
    info = task_info("mine")
    with pytest.raises(XltBenchError, match="task 'mine'") as caught:
        info.load(None)
    assert message in str(caught.value)


def test_groups_that_raise_name_the_task(install: Install) -> None:
    install(changed('return {"all"', 'return {}["x"] or {"all"'))
    with pytest.raises(DataError, match=r"task 'mine': groups raises KeyError: 'x'; its package must be mended"):
        task_info("mine").groups("nano")


def test_an_id_of_two_splits_in_two_languages(install: Install) -> None:
    swapped = changed(
        "    return Labelled",
        '    split = {"test": "train"}.get(split, split) if code == "bb" else split\n    return Labelled',
    )
    install(swapped)
    with pytest.raises(DataError, match=r"bb test, id 'train0': the id is (there twice|of train elsewhere)"):
        task_info("mine").load(None)


def test_two_packages_with_one_name_stop_that_name_only(install: Install) -> None:
    install(GOOD, module="one_package")
    install(GOOD, module="two_package")
    told = (
        r"two packages offer a task 'mine': one_package/mine \(one_package:INFO\) and .*; say which: --task one_package"
    )
    with pytest.raises(ConfigError, match=told):
        task_info("mine")
    assert task_info("two_package/mine").load(None).name == "mine"
    assert [entry.name for entry in entries(TASKS)].count("mine") == 2
    assert task_info("cldr").name == "cldr"


def test_a_package_that_takes_the_name_of_a_shipped_task(install: Install) -> None:
    install(GOOD, name="cldr")
    with pytest.raises(
        ConfigError, match=r"two packages offer a task 'cldr': .*; say which: --task my_task_package/cldr"
    ):
        task_info("cldr")
    assert task_info("xlt-bench/cldr").summary.startswith("what kind of thing")


def test_a_package_whose_import_does_not_end(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("while True: pass")
    monkeypatch.setattr(registry, "watched", partial(watched, limit=0.2))
    with pytest.raises(DataError, match=r"importing task 'mine' \(my_task_package:INFO\) did not end within 0.2 s; an"):
        task_info("mine")


def test_a_task_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_task(tmp_path / "reviews")
    assert task_info(str(path)).name == task_info(str(path.parent)).name == "reviews"
    monkeypatch.chdir(tmp_path)
    assert task_info("reviews").name == task_info("./reviews/").name == "reviews"
    monkeypatch.chdir(tmp_path / "reviews")
    assert task_info("task.toml").name == task_info(".").name == "reviews"
    (tmp_path / "reviews" / "cldr").mkdir()
    assert task_info("cldr").summary.startswith("what kind of thing")  # a name goes before a folder


@pytest.mark.parametrize("reference", ["nowhere/task.toml", "task.toml", "reviews", "reviews/eng_Latn"])
def test_a_path_with_nothing_there(reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_task(tmp_path / "reviews").unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match=r"no file '.*task.toml'; --task takes a name of: xlt-bench ls tasks, path/to/"
    ):
        task_info(reference)


def test_a_file_with_the_name_of_an_installed_task(tmp_path: Path) -> None:
    path = write_task(tmp_path / "cldr")
    with pytest.raises(ConfigError, match=r"an installed task has the name 'cldr'; give yours another, .*--task cldr"):
        task_info(str(path))
