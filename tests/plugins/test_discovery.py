"""Finding methods: entry points, files, and what may be wrong with either."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.support.plugins import GOOD, write_plugin
from xlt_bench.engines import LocalEngine, Means
from xlt_bench.engines.choosing import engine_of
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.plugins import registry
from xlt_bench.plugins.methods import configure
from xlt_bench.plugins.registry import ENGINES, METHODS, entries

SHIPPED = {"spt", "xpe", "dual", "dual-30", "dual-70", "full-finetuning", "head-only", "ngram-mlp", "majority"}


def test_the_shipped_methods_are_entry_points() -> None:
    assert {entry.name for entry in entries(METHODS)} >= SHIPPED


def test_a_method_by_name_with_a_setting() -> None:
    found = configure("xpe", {"n_tokens": "10"})
    assert (found.name, found.label, found.values["n_tokens"]) == ("xpe", "xpe (n_tokens=10)", 10)


def test_a_named_preset_of_a_method_is_that_method() -> None:
    assert configure("dual-70", {}).values == configure("dual", {}).values
    assert configure("dual-30", {}).name == configure("dual", {}).name
    assert configure("dual-30", {}).label == "dual-30"


def test_the_content_of_a_file_is_part_of_its_identity(tmp_path: Path) -> None:
    first = configure(write_plugin(tmp_path, GOOD), {})
    assert first.label == "plugin.py:Plugin"
    assert first.name.startswith("plugin.py:Plugin#")
    assert configure(write_plugin(tmp_path, GOOD), {}).name == first.name
    assert configure(write_plugin(tmp_path, GOOD + "  # edited"), {}).name != first.name


def test_two_files_of_one_name_are_two_methods(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = configure(write_plugin(tmp_path / "a", GOOD), {})
    other = configure(write_plugin(tmp_path / "b", "return None"), {})
    assert type(first.method) is not type(other.method)
    assert first.name != other.name


@pytest.fixture
def clash(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = [EntryPoint("mine", "one.module:A", METHODS.group), EntryPoint("mine", "two.module:B", METHODS.group)]
    spt = EntryPoint("spt", "xlt_bench.methods.spt:SPT", METHODS.group)
    monkeypatch.setattr(registry, "entry_points", lambda group: [*offered, spt, spt])


@pytest.mark.usefixtures("clash")
def test_two_packages_with_one_name_stop_that_name_only() -> None:
    with pytest.raises(ConfigError, match=r"two packages offer a method 'mine': one/mine .* and two/mine .* say which"):
        configure("mine", {})
    assert configure("spt", {}).name == "spt"


@pytest.mark.usefixtures("clash")
def test_listing_shows_both_of_a_name_and_a_package_found_twice_once() -> None:
    assert [entry.name for entry in entries(METHODS)] == ["mine", "mine", "spt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import not_there_at_all", "cannot be imported: ModuleNotFoundError"),
        ("import sys; sys.exit('usage: x')", "cannot be imported: SystemExit: usage: x"),
        ("def f(:", "cannot be imported: SyntaxError"),
        ("Plugin = 3", "is no class"),
        ("class Plugin: pass", "lacks fit, load, uses_backbone"),
        ("class Plugin:\n fit = load = None\n uses_backbone = 'no'", "must say uses_backbone = True or False"),
        ("class Plugin:\n fit = load = None\n uses_backbone = False", "is no frozen dataclass"),
    ],
)
def test_a_file_that_is_no_method(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "odd.py").write_text(text, encoding="utf-8")
    with pytest.raises(MethodError) as caught:
        configure(f"{tmp_path}/odd.py:Plugin", {})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("xpp", "no method 'xpp'; did you mean 'xpe'? see: xlt-bench ls methods"),
        ("", "no method ''"),
        ("nowhere.py:A", "no file 'nowhere.py'"),
        ("plugin.py", "--method plugin.py names no class; give plugin.py:Class"),
    ],
)
def test_a_method_that_is_not_there(reference: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(reference, {})
    assert message in str(caught.value)


def test_a_class_that_a_file_lacks_is_suggested(tmp_path: Path) -> None:
    reference = write_plugin(tmp_path, GOOD).replace(":Plugin", ":Plugim")
    with pytest.raises(ConfigError, match="no class 'Plugim'; did you mean 'Plugin'"):
        configure(reference, {})


def test_a_constructor_that_refuses_names_the_settings() -> None:
    with pytest.raises(ConfigError, match="dual needs 0 < encoded < 1"):
        configure("dual", {"encoded": "2"})


def test_a_constructor_that_breaks_is_the_methods_fault(tmp_path: Path) -> None:
    reference = write_plugin(tmp_path, GOOD)
    path = Path(reference.rpartition(":")[0])
    path.write_text(path.read_text() + "    def __post_init__(self):\n        1 / 0\n", encoding="utf-8")
    with pytest.raises(MethodError, match="with strength=2 raises ZeroDivisionError"):
        configure(reference, {"strength": "2"})


def test_engines_are_found_like_methods() -> None:
    assert {"local", "slurm"} <= {entry.name for entry in entries(ENGINES)}
    assert {registry.package_of(entry) for entry in entries(ENGINES)} == {"xlt-bench"}
    assert isinstance(engine_of("xlt-bench/local", Means()), LocalEngine)
    with pytest.raises(ConfigError, match=r"no engine 'lokal'; did you mean 'local'\? see: xlt-bench ls engines"):
        registry.lookup(ENGINES, "lokal")
