"""`--help`: options in groups, an example each, and none forgotten."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from xlt_bench.cli.help import GROUPS
from xlt_bench.cli.main import COMMANDS, app, main


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


@pytest.mark.parametrize("command", ["run", "leaderboard", "compare", "evaluate"])
def test_examples_are_of_options_of_their_group(command: str) -> None:
    sharing = [parameters(each) for each in GROUPS if GROUPS[each] is GROUPS[command]]
    for group in GROUPS[command]:
        flags = [flag for name in group.names for options in sharing if name in options for flag in options[name].opts]
        for example in group.examples:
            used = [word for word in shlex.split(example) if word.startswith("-")]
            assert used
            assert set(used) <= set(flags), group.title


def test_an_example_has_no_option_that_the_command_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--help"]) == 0
    text = capsys.readouterr().out
    assert "\nProtocol, such as --seeds 5:\n" in text
    assert "--shots" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    if command in GROUPS:
        titles = [line for line in text.splitlines() if line.endswith(":") and not line.startswith((" ", "Usage"))]
        assert [title for title in titles if "such as" not in title] in ([], ["Options:"], ["Arguments:", "Options:"])
    else:
        assert re.search(r"Examples?: xlt-bench " + command, text)


def test_the_help_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "--help"]) == 0
    text = capsys.readouterr().out
    titles = [line.split(",")[0] for line in text.splitlines() if line and not line.startswith(" ") and "," in line]
    assert titles[-4:] == ["Rows and columns", "Statistics", "Output", "LaTeX"]
    assert text.index("--caption") > text.index("LaTeX, such as --width column")
    assert "--help" in text
