"""Figures for a paper: which files there are, that they are repeatable, and what is said without matplotlib."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.support.page_boards import hostile_board, sample_board
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.render.figures import save_figures

needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed (extra `figures`)"
)
STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@needs_matplotlib
def test_files_and_that_equal_boards_give_equal_bytes(tmp_path: Path) -> None:
    board = sample_board(rows=4, count=20)
    first, second = (save_figures(board, tmp_path / name) for name in "ab")
    assert [path.name for path in first[::3]] == [
        "intervals-1-cross-lingual-zero-shot-backbone-nano.png",
        "languages-1-cross-lingual-zero-shot-backbone-nano.png",
        "intervals-2-prompted-models.png",
        "languages-2-prompted-models.png",
        "intervals-3-published-means.png",
    ]
    for one, other in zip(first, second, strict=True):
        content = one.read_bytes()
        assert content.startswith(STARTS[one.suffix[1:]])
        assert content == other.read_bytes()
    assert b"<dc:date>" not in first[1].read_bytes()


@needs_matplotlib
def test_hostile_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    paths = save_figures(hostile_board(), tmp_path, formats=["svg"])
    assert [path.parent for path in paths] == [tmp_path] * 2
    assert b"<script" not in paths[0].read_bytes()


@needs_matplotlib
def test_a_users_own_style_is_left_alone(tmp_path: Path) -> None:
    import matplotlib

    def style() -> dict[str, object]:  # asking for the backend would choose one
        return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}

    before = style()
    save_figures(sample_board(rows=2, count=5), tmp_path, formats=["pdf"])
    assert style() == before


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no figure format 'gif'; there are: png, svg, pdf"):
        save_figures(sample_board(rows=1, count=3), tmp_path, formats=["gif"])


def test_without_matplotlib_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match=r"pip install matplotlib"):
        save_figures(sample_board(rows=1, count=3), tmp_path / "none")
    assert not (tmp_path / "none").exists()
