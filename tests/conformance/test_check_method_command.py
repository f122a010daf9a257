"""`xlt-bench check-method`: its table, its JSON, its exit codes, and what a user may get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xlt_bench.cli.main import main
from xlt_bench.conformance import CHECKS

PLUGIN = '''
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from xlt_bench.method import FitSummary

class Fitted:
    summary = FitSummary()
    def predict(self, examples):
        print("a method that talks")
        return np.tile(np.arange(7, dtype=np.float32), (len(examples), 1))
    def save(self, folder):
        (folder / "nothing.json").write_text("{}")

@dataclass(frozen=True)
class Plugin:
    """Always says the last class, and says so."""
    uses_backbone: ClassVar[bool] = False
    reads_text: ClassVar[bool] = False
    strength: float = 1.0
    def fit(self, train, dev, context):
        return Fitted()
    def load(self, folder, context):
        return Fitted()
'''


CHOSEN = [check for check in CHECKS if check.name in ("predict_before_fit_is_refused", "one_finite_row_an_item")]
FEW = [argument for check in CHOSEN for argument in ("--check", check.name)] + ["--seed", "0"]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A method in a file, which `load`s what was never saved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("plugin.py").write_text(PLUGIN, encoding="utf-8")
    return "plugin.py:Plugin"


def test_the_table_shows_every_rule_and_why_one_is_broken(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-method", plugin, "--set", "strength=2", *FEW]) == 1
    said = capsys.readouterr()
    words = " ".join(said.out.replace("│", " ").split())
    for check in CHOSEN:
        assert f"{check.name} {check.meaning}" in words
    assert "check of plugin.py:Plugin (strength=2.0)" in words
    assert "load of a folder in which nothing was saved gives something that predicts" in words
    assert "1 passed, 1 failed" in words
    assert "a method that talks" not in said.out


def test_a_declared_failure_and_plain_json(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    declared = "predict_before_fit_is_refused=it has nothing to load"
    assert main(["check-method", plugin, "--json", "--expect-failure", declared, *FEW]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["passed"], plain["seed"], len(plain["checks"])) == (True, 0, 2)
    (result,) = [check for check in plain["checks"] if check["status"] == "expected failure"]
    assert (result["check"], result["message"]) == ("predict_before_fit_is_refused", "it has nothing to load")


def test_a_method_that_ends_the_process_fails_in_the_check_that_it_ends(
    plugin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = PLUGIN.replace("        return Fitted()", "        __import__('os')._exit(0)", 1)
    Path("plugin.py").write_text(body, encoding="utf-8")
    assert main(["check-method", plugin, "--json", *FEW]) == 1
    results = {check["check"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert results["one_finite_row_an_item"]["status"] == "failed"
    assert "the process ended in this check (exit code 0)" in results["one_finite_row_an_item"]["message"]


@pytest.mark.slow
def test_all_checks_of_a_shipped_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-method", "xpe", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["method"], plain["passed"]) == ("xpe", True)
    assert [check["check"] for check in plain["checks"]] == [check.name for check in CHECKS]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xpp"], "no method 'xpp'; did you mean 'xpe'?"),
        (["nowhere.py:A"], "no file 'nowhere.py'"),
        (["plugin.py"], "names no class; give plugin.py:Class"),
        (["plugin.py:Plugim"], "did you mean 'Plugin'?"),
        (["plugin.py:Plugin", "--set", "strength=x"], "must be a number, not 'x'"),
        (["plugin.py:Plugin", "--set", "strenght=1"], "did you mean 'strength'?"),
        (["plugin.py:Plugin", "--check", "loads"], "no check 'loads'"),
        (["plugin.py:Plugin", "--expect-failure", "loads"], "--expect-failure takes CHECK=REASON, not 'loads'"),
        (["plugin.py:Plugin", "--expect-failure", "loads=x"], "no check 'loads'"),
        (["plugin.py:Plugin", "--expect-failure", f"{CHOSEN[0].name}="], "needs a reason"),
        (["plugin.py:Plugin", *["--expect-failure", f"{CHOSEN[0].name}=x"] * 2], "is given twice"),
        (["broken.py:Plugin"], "cannot be imported: ZeroDivisionError"),
        ([], "Missing argument 'NAME|FILE:CLASS'"),
    ],
)
@pytest.mark.usefixtures("plugin")
def test_what_a_user_may_get_wrong(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.py").write_text("1 / 0")
    assert main(["check-method", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert message in said.err
