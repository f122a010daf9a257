"""The toy task in place of a real one, and the command line in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import GOOD, Command, Said, toy_info, write_plugin


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_backbone_folder: Path, tmp_path: Path
) -> Command:
    """`xlt-bench` on the toy task with a tiny backbone, in an empty folder; other task names are left as they are."""
    from xlt_bench import tasks
    from xlt_bench.cli.main import main
    from xlt_bench.runs import experiment
    from xlt_bench.studies import planning

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    known = tasks.task_info

    def info(name: str) -> object:
        return toy_info(str(tiny_backbone_folder)) if name == "toy" else known(name)

    monkeypatch.setattr(experiment, "task_info", info)
    monkeypatch.setattr(planning, "task_info", info)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def run(command: Command) -> Command:
    """`xlt-bench run` on the toy task, a few steps on the CPU."""

    def call(*arguments: str) -> Said:
        return command("run", "--task", "toy", "--sources", "joshi5", "--device", "cpu", *arguments)

    return call


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """A method in a file that predicts class 1 with even seeds and class 0 with odd ones."""
    return write_plugin(tmp_path, GOOD)
