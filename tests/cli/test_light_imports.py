"""What must stay light: commands that only look import no torch, and the package itself hardly anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import process_environment
from tests.support.records import predictions, record
from xlt_bench.records.store import Store

HEAVY = ("torch", "transformers", "datasets", "pandas", "huggingface_hub")


def imported(code: str, folder: Path) -> set[str]:
    """Modules that a fresh process has after this code."""
    listing = "\nimport sys; print('\\n' + ' '.join(sys.modules))"
    process = subprocess.run(
        [sys.executable, "-c", code + listing], capture_output=True, text=True, cwd=folder, env=process_environment()
    )
    assert process.returncode == 0, process.stderr
    return set(process.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["ls", "methods"],
        ["ls", "engines"],
        ["ls", "tasks"],
        ["ls", "groups"],
        ["ls", "records", "--store", "s"],
        ["leaderboard", "--store", "s"],
    ],
    ids=" ".join,
)
def test_commands_that_only_look(tmp_path: Path, arguments: list[str]) -> None:
    answers = predictions()
    Store(tmp_path / "s").write(record(answers), answers)
    modules = imported(f"from xlt_bench.cli.main import main\nassert main({arguments!r}) == 0", tmp_path)
    assert not modules & set(HEAVY)
    if "--help" in arguments or arguments[1:] in (["methods"], ["engines"]):
        assert not modules & {"numpy", "pyarrow", "rich"}


def test_importing_the_package(tmp_path: Path) -> None:
    assert not imported("import xlt_bench", tmp_path) & {*HEAVY, "numpy", "rich", "typer", "pyarrow"}


def test_planning_runs_imports_no_transformers(tmp_path: Path) -> None:
    """It takes longer than all the rest of `study status`; torch is in the files of the methods themselves."""
    names = (
        "spt",
        "xpe",
        "dual-70",
        "linear-probe",
        "full-finetuning",
        "madx",
        "lt-sft",
        "soft-language-prompt",
        "uniprompt",
    )
    code = f"""
from xlt_bench.plugins.methods import configure
import xlt_bench.engines.slurm, xlt_bench.studies.planning
for name in {names!r}:
    configure(name, {{}})
"""
    assert "transformers" not in imported(code, tmp_path)
