"""The project's own board is what its reference Records give, byte for byte (`make reference` writes both)."""

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
BOARDS = ("reference-board.json", "reference-board.md")


@pytest.mark.skipif(not (FOLDER / "reference").is_dir(), reason="no reference Records here")
@pytest.mark.parametrize("name", BOARDS)
def test_the_board_follows_from_the_records(name: str) -> None:
    form = format_of(None, Path(name))
    options = Options(bootstrap=form == "json")
    boards = boards_of(Store(FOLDER / "reference"), Filter(task="cldr"), options)
    assert not boards[0].skipped
    assert text_of(boards, form).encode() == (FOLDER / name).read_bytes()
