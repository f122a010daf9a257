"""The sample pages as files, one headless browser for all tests of this tier, and axe-core."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.page_boards import few_shot_board, hostile_board, sample_board
from tests.support.page_browser import Browser, find_chromium, running
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.render.page.document import page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.page)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    binary = find_chromium()
    if binary is None:
        pytest.skip("no chromium on the path: the page was not tried in a browser")
    with running(binary, tmp_path_factory.mktemp("profile")) as open_browser:
        yield open_browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, from the wheel that `make test-page` fetches."""
    wheels = sorted((ROOT / "build" / "axe").glob("*.whl"))
    if not wheels:
        pytest.skip("no axe-core in build/axe, which make test-page fetches: the page was not audited")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return wheel.read("axe_playwright_python/axe.min.js").decode()


@pytest.fixture(scope="session")
def board() -> BoardContent:
    """Three tables; 60 languages."""
    return sample_board(count=60)


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory, board: BoardContent) -> Path:
    return _written(tmp_path_factory, "sample", board)


@pytest.fixture(scope="session")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "hostile", hostile_board())


@pytest.fixture(scope="session")
def few_shot_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(tmp_path_factory, "few", few_shot_board())


@pytest.fixture(scope="session")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 rows on 205 languages."""
    return _written(tmp_path_factory, "large", sample_board(rows=24))


@pytest.fixture
def opened(browser: Browser, sample_file: Path) -> Browser:
    browser.open(sample_file)
    return browser


def _written(factory: pytest.TempPathFactory, name: str, board: BoardContent) -> Path:
    path = factory.mktemp(name) / "board.html"
    path.write_text(page(board), encoding="utf-8")
    return path
