"""Commands in docs/adapters.md have the options that the command line has."""

from __future__ import annotations

import re

import pytest

from tests.support import ROOT
from tests.support.commands import Command

PAGE = ROOT / "docs" / "adapters.md"
LINES = re.findall(r"^xlt-bench (\w+) ([^#\n]*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_shows_every_way() -> None:
    assert {"run", "export", "evaluate", "ls"} <= {name for name, _ in LINES}


@pytest.mark.parametrize(("name", "rest"), LINES)
def test_options_on_the_page_are_there(name: str, rest: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    known = command(name, "--help").out
    for option in re.findall(r"(?<!\S)--?[a-z-]+", rest):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", known), f"{name} has no {option}"


@pytest.mark.parametrize("name", ["export", "evaluate"])
def test_options_explained_on_the_page_are_there(name: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = PAGE.read_text(encoding="utf-8")
    part = text[text.index(f"`xlt-bench {name}`") :]
    part = part[: part.find("\n## ")]
    known = command(name, "--help").out
    for option in re.findall(r"`(--[a-z-]+)", part):
        assert option in known, f"{name} has no {option}"
