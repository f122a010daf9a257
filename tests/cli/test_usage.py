"""A command written wrongly: one line, which points to the help of that very command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Command
from xlt_bench.cli.main import main


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["compare", "xpe"], "compare"),
        (["ls", "methods", "xpe", "more"], "ls"),
        (["leaderboard", "--format", "pdf"], "leaderboard"),
    ],
)
def test_a_misused_command_points_to_its_own_help(
    capsys: pytest.CaptureFixture[str], words: list[str], command: str
) -> None:
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.endswith(f"see: xlt-bench {command} --help\n")
    assert told.count("\n") == 1
    assert "Value error" not in told


def test_bf16_on_a_processor_without_it_is_said(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xlt_bench.cli.announcement.has_bfloat16", lambda: False)
    options = ["--seeds", "1", "--steps", "1", "--precision", "bf16", "--targets", "deu_Latn", "--store", str(tmp_path)]
    said = command("run", "-m", "head-only", "--sources", "eng_Latn", *options)
    assert "note: this processor has no bfloat16 arithmetic, so bf16 is slower here than --precision fp32" in said.err
