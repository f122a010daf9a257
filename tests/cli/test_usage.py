"""A command written wrongly: one line, which points to the help of that very command."""

from __future__ import annotations

import pytest

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
