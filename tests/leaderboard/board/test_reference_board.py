"""The boards that ship are what the Records beside them give, byte for byte (`make boards` writes them)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ROOT
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.render.output import format_of, text_of
from xlt_bench.records.store import Store

FOLDER = ROOT / "leaderboard"
BOARDS = (
    ("reference", "cldr", None, "reference-board.json"),
    ("reference", "cldr", None, "reference-board.md"),
    ("sentence-encoder", "sib200", "low-performing", "sentence-encoder-board.md"),
    ("sentence-encoder", "sib200", "low-performing", "sentence-encoder-board.html"),
)


@pytest.mark.skipif(not (FOLDER / "reference").is_dir(), reason="no reference Records here")
@pytest.mark.parametrize(("store", "task", "targets", "name"), BOARDS)
def test_the_board_follows_from_the_records(store: str, task: str, targets: str | None, name: str) -> None:
    form = format_of(None, Path(name))
    options = Options(bootstrap=form in ("json", "html"), detailed=form == "html")
    boards = boards_of(Store(FOLDER / store), Filter(task=task, targets=targets), options)
    assert not boards[0].skipped
    assert text_of(boards, form).encode() == (FOLDER / name).read_bytes()
