"""A name that is taken: said, never silently shadowed; and imports that do not end."""

from __future__ import annotations

import signal
import sys
import time
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.plugins import registry
from xlt_bench.plugins.importing import watched
from xlt_bench.plugins.methods import configure
from xlt_bench.plugins.registry import METHODS

BODY = """
from dataclasses import dataclass
from typing import ClassVar
from xlt_bench.methods.dual import DUAL
from xlt_bench.methods.majority import Majority

@dataclass(frozen=True, kw_only=True)
class MyDual(DUAL):
    pass

@dataclass(frozen=True, kw_only=True)
class Named(DUAL):
    name: ClassVar[str] = "my-dual"

@dataclass(frozen=True)
class Other(Majority):
    strength: float = 1.0
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A plug-in package's module that can be imported."""
    (tmp_path / "xltplugin.py").write_text(BODY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "xltplugin", raising=False)
    return "xltplugin"


def install(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    """As if a package offered these methods besides the shipped ones."""
    shipped = registry.entry_points(group=METHODS.group)
    extra = [EntryPoint(name.replace("_", "-"), value, METHODS.group) for name, value in entries.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: [*shipped, *extra])


def test_a_plugin_that_takes_a_shipped_name_is_said_with_the_way_out(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, majority=f"{module}:Other")
    with pytest.raises(ConfigError) as caught:
        configure("majority", {})
    told = str(caught.value)
    assert "two packages offer a method 'majority'" in told
    assert "xlt-bench/majority (xlt_bench.methods.majority:Majority)" in told
    assert "xltplugin/majority (xltplugin:Other)" in told
    assert "--method xltplugin/majority" in told or "--method xlt-bench/majority" in told


def test_each_of_two_is_reached_by_its_package_and_their_runs_are_told_apart(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, majority=f"{module}:Other")
    assert configure("xlt-bench/majority", {}).name == "majority"
    other = configure("xltplugin/majority", {"strength": "2"})
    assert (other.name, other.label) == ("xltplugin/majority", "xltplugin/majority (strength=2.0)")
    assert configure("xpe", {}).name == "xpe"


def test_an_inherited_name_of_a_shipped_method_is_refused(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, inherits=f"{module}:MyDual", named=f"{module}:Named")
    with pytest.raises(MethodError, match=r"calls itself 'dual', the name of another .* set name: .* = 'inherits'"):
        configure("inherits", {})
    named = configure("named", {"encoded": "0.5"})
    assert (named.name, named.label) == ("my-dual", "my-dual (encoded=0.5)")


def test_a_file_is_never_labelled_as_the_method_it_inherits_from(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BODY, encoding="utf-8")
    found = configure(f"{tmp_path}/mine.py:MyDual", {"encoded": "0.5"})
    assert found.label == "mine.py:MyDual (encoded=0.5)"
    assert found.name.startswith("mine.py:MyDual#")


HANGING = """
import time
for _ in range(600):
    try:
        time.sleep(0.1)
    except Exception:
        pass
"""


def test_an_import_that_does_not_end_is_said_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.py").write_text(HANGING, encoding="utf-8")
    monkeypatch.setattr(registry, "watched", partial(watched, notice=0.2, limit=0.6))
    started = time.monotonic()
    with pytest.raises(MethodError) as caught:
        configure(f"{tmp_path}/slow.py:Any", {})
    assert time.monotonic() - started < 10
    assert f"importing method '{tmp_path}/slow.py:Any' did not end within 0.6 s" in str(caught.value)
    assert "an import must only define things" in str(caught.value)
    assert f"still importing method '{tmp_path}/slow.py:Any', for 0.2 s so far (Ctrl-C" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_a_quick_import_says_nothing_and_leaves_no_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    with watched("method 'x'", "fit", MethodError, notice=0.05, limit=0.1):
        pass
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_somebody_elses_alarm_is_left_alone() -> None:
    def own(*unused: object) -> None:
        """Another user of the signal."""

    before = signal.signal(signal.SIGALRM, own)
    try:
        with watched("method 'x'", "fit", MethodError, limit=0.01):
            time.sleep(0.05)
        assert signal.getsignal(signal.SIGALRM) is own
    finally:
        signal.signal(signal.SIGALRM, before)
