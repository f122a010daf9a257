"""The sample pages as files, and one headless browser for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.page_boards import hostile_board, sample_board
from tests.support.page_browser import Browser, find_chromium, running
from xlt_bench.leaderboard.render.page import page


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    binary = find_chromium()
    if binary is None:
        pytest.skip("no chromium on the path: the page was not tried in a browser")
    with running(binary, tmp_path_factory.mktemp("profile")) as open_browser:
        yield open_browser


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory.mktemp("sample"), page(sample_board(count=60)))


@pytest.fixture(scope="session")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory.mktemp("hostile"), page(hostile_board()))


def _written(folder: Path, text: str) -> Path:
    path = folder / "board.html"
    path.write_text(text, encoding="utf-8")
    return path
