"""`--help`: options in groups, an example each, and none forgotten."""

from __future__ import annotations

import shlex

import pytest
import typer

from xlt_bench.cli.help import GROUPS
from xlt_bench.cli.main import app, main


def parameters(command: str) -> dict[str, typer.core.TyperOption]:
    """Options of a command by name."""
    group = typer.main.get_command(app)
    built = group.get_command(None, command)  # type: ignore[attr-defined]
    return {each.name: each for each in built.params if isinstance(each, typer.core.TyperOption)}


@pytest.mark.parametrize("command", GROUPS)
def test_every_option_is_in_one_group(command: str) -> None:
    grouped = [name for group in GROUPS[command] for name in group.names]
    assert len(grouped) == len(set(grouped))
    assert set(parameters(command)) <= set(grouped)


@pytest.mark.parametrize("command", ["run", "leaderboard"])
def test_examples_are_of_options_of_their_group(command: str) -> None:
    options = parameters(command)
    for group in GROUPS[command]:
        flags = [flag for name in group.names if name in options for flag in options[name].opts]
        used = [word for word in shlex.split(group.example) if word.startswith("-")]
        assert used
        assert set(used) <= set(flags), group.title


def test_an_example_with_options_that_a_command_lacks_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--help"]) == 0
    text = capsys.readouterr().out
    assert "\nProtocol:\n" in text
    assert "--shots" not in text


def test_the_help_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "--help"]) == 0
    text = capsys.readouterr().out
    titles = [line.split(",")[0] for line in text.splitlines() if line and not line.startswith(" ") and "," in line]
    assert titles[-4:] == ["Rows and columns", "Statistics", "Output", "LaTeX"]
    assert text.index("--caption") > text.index("LaTeX, such as --width column")
    assert "--help" in text
