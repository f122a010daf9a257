"""A store stays tidy: earlier versions of a method are hidden and counted, and Records are removed on purpose only."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.support.commands import Command
from tests.support.plugins import GOOD, write_plugin
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.model import BoardRow
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.data.versions import by_version
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

STORE = Path("xlt-results")


def edited(run: Command, folder: Path, count: int) -> None:
    """Run a method, edit its file, and so on."""
    for number in range(count):
        plugin = write_plugin(folder, f"'version {number}'\n{GOOD}")
        assert run("-m", plugin, "--seeds", "2").code == 0


def board_rows() -> tuple[BoardRow, ...]:
    """Of all versions."""
    (board,) = boards_of(Store(STORE), Filter(), Options(superseded=True))
    return board.sections[0].rows


def test_boards_hide_them_and_count_them(run: Command, command: Command, tmp_path: Path) -> None:
    edited(run, tmp_path, 3)
    assert run("-m", "majority", "--seeds", "2").code == 0
    shown = " ".join(command("leaderboard").out.split())
    assert "Version 3 of its file; 2 hidden" in shown
    assert "2 earlier versions of rows are hidden" in shown
    assert shown.count("plugin.py:Plugin 33.3") == 1
    assert "6 tests" in shown, "of 4 rows, two of them hidden"
    every = " ".join(command("leaderboard", "--superseded").out.split())
    assert len({row.label for row in board_rows()}) == 4
    assert "hidden" not in every
    compared = command("compare", "plugin.py:Plugin", "majority")
    assert compared.code == 0, "the name is that of the current version"
    listed = command("ls", "records").out
    assert listed.count("supersed") == 4


def stored() -> list[Record]:
    return Store(STORE).records()[0]


def test_forget_lists_asks_and_removes(run: Command, command: Command, tmp_path: Path) -> None:
    edited(run, tmp_path, 2)
    assert run("-m", "majority", "--seeds", "2").code == 0
    (first, *_) = [record for record in stored() if record.cell.method == "majority"]
    refused = command("forget", "--superseded")
    assert refused.code == 2
    assert "nothing was removed; add --yes" in refused.err
    assert len(stored()) == 6
    gone = command("forget", "--superseded", "--yes")
    assert gone.out.endswith("2 Records removed from xlt-results\n")
    assert {record.cell.method for record in by_version(stored()).superseded} == set()
    assert command("forget", first.cell.fingerprint[:8], "--yes").code == 0
    assert len(stored()) == 3
    assert not list(STORE.glob(".tmp*"))
    assert command("forget", "majority", "--yes").code == 0
    assert {record.cell.method.partition("#")[0] for record in stored()} == {"plugin.py:Plugin"}
    assert command("forget", "--failed", "--yes").out == "nothing to forget\n"


def test_forget_takes_nothing_that_is_not_named(run: Command, command: Command) -> None:
    assert run("-m", "majority", "--seeds", "1").code == 0
    assert "name rows or Records of: xlt-bench ls records" in command("forget").err
    assert "no row 'majorty'; did you mean 'majority'?" in command("forget", "majorty", "--yes").err
    (record,) = stored()
    with Store(STORE).claims.hold([record.cell.fingerprint]):
        busy = command("forget", "majority", "--yes")
    assert busy.code == 2
    assert re.search(rf"process {os.getpid()} on \S+ since 2\d{{3}}-[-0-9: ]+ UTC works on", busy.err)
    assert stored() == [record]


def test_forget_of_a_row_that_failed_spares_its_complete_runs(run: Command, command: Command) -> None:
    assert run("-m", "majority", "--seeds", "2").code == 0
    assert command("forget", "majority", "--failed", "--yes").out == "nothing to forget\n"
    assert len(stored()) == 2
