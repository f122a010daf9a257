"""The command line without the toy task, whose name the made-up Records of these tests have."""

from __future__ import annotations

import pytest

from tests.support.commands import Command


@pytest.fixture
def command(program: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`xlt-bench` in an empty folder, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return program
