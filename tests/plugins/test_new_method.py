"""`xlt-bench new-method`: the files it writes work as they are, and what it refuses to write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from xlt_bench.cli.main import main
from xlt_bench.conformance import FreshProcess, check_method
from xlt_bench.plugins.methods import configure

KINDS = ["soft-prompt", "own-loss", "tuned-encoder", "protocol"]


@pytest.fixture(params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with what was written for a method `low-rank`."""
    monkeypatch.chdir(tmp_path)
    assert main(["new-method", "low-rank", "--kind", request.param]) == 0
    return tmp_path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MYPYPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, env=environment)


def test_it_passes_every_check_as_it_is(written: Path, fresh: FreshProcess) -> None:
    report = check_method(configure(f"{written}/low_rank.py:LowRank", {}).method, fresh=fresh)
    assert report.passed, str(report)


def test_what_is_written_is_as_ruff_would_have_it(written: Path) -> None:
    for check in (["check", "--select", "E,F,I,B,UP,N,SIM,RUF,C4,PT,ANN"], ["format", "--check"]):
        done = run("ruff", *check, "--no-cache", "--isolated", "--line-length", "120", str(written))
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_its_own_test_passes(written: Path) -> None:
    done = run("pytest", "-q", "-p", "no:cacheprovider", "test_low_rank.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.slow
def test_mypy_is_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        assert main(["new-method", f"a-{kind}", "--kind", kind]) == 0
    options = ["--strict", "--follow-imports", "silent", "--cache-dir", "cache"]
    done = run("mypy", *options, *sorted(str(path) for path in Path().glob("*.py")))
    assert done.returncode == 0, done.stdout
    assert "8 source files" in done.stdout


def test_a_soft_prompt_is_about_40_lines(tmp_path: Path) -> None:
    assert main(["new-method", "mine", "--to", str(tmp_path / "new" / "folder")]) == 0
    text = (tmp_path / "new" / "folder" / "mine.py").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line.strip()]) <= 40
    assert "class Mine(SoftPrompt):" in text


def test_what_it_says_names_files_and_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-method", "low_rank2", "--to", str(tmp_path / "a b")]) == 0
    said = capsys.readouterr().out
    assert f"xlt-bench check-method '{tmp_path}/a b/low_rank2.py:LowRank2'" in said
    assert f"python -m pytest '{tmp_path}/a b/test_low_rank2.py'" in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xpe", "a method 'xpe' exists already (xlt-bench/xpe)"),
        ("full_finetuning", "exists already (xlt-bench/full-finetuning)"),
        ("torch", "torch.py would be taken for another module"),
        ("random", "random.py would be taken for another module"),
        ("test-it", "test_it.py would be taken for another module"),
        ("LowRank", "lower-case words such as low-rank or low_rank, not 'LowRank'"),
        ("2nd", "lower-case words"),
        ("class", "lower-case words"),
        ("a/b", "lower-case words"),
        ("low rank", "lower-case words"),
        ("low--rank", "lower-case words"),
        ("", "lower-case words"),
        ("méthode", "lower-case words"),
        ("a" * 25, "at most 24 characters"),
        ("there", "there.py is there already, and is not overwritten"),
        ("tested", "test_tested.py is there already, and is not overwritten"),
    ],
)
def test_names_it_refuses(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kept in ("there.py", "test_tested.py"):
        Path(kept).write_text("mine")
    assert main(["new-method", name]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "there.py": "mine",
        "test_tested.py": "mine",
    }


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["new-method", "mine", "--to", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
