"""The boards that ship are what the Records beside them give, byte for byte (`make boards` writes them)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT
from xlt_bench.cli.main import main
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


REPORTS = (
    ("sentence-encoder", "sib200", "low-performing"),
    ("sentence-encoder-unseen", "sib200", "unseen,full-46"),
    ("sentence-encoder-sources", "sib200", "low-performing"),
    ("sentence-encoder-labels", "sib200", "amh_Ethi+kat_Geor+swh_Latn+ajp_Arab+dyu_Latn+run_Latn"),
    ("sentence-encoder-nusax", "nusax-senti", "unseen"),
    ("masked-lm", "cldr", "full-8-unseen"),
    ("masked-lm-sentences", "sib200", "ace_Arab+bho_Deva+hat_Latn+lin_Latn+nya_Latn+tat_Cyrl"),
)
"""Studies whose Records ship, and the groups of their reports."""
NUMBER = re.compile(r"\d+\.\d \(\d+\.\d-\d+\.\d\)")
"""An accuracy with its interval."""


@pytest.mark.parametrize(("study", "task", "targets"), REPORTS)
def test_the_numbers_of_a_report_are_those_of_the_records(study: str, task: str, targets: str) -> None:
    boards = boards_of(Store(FOLDER / study), Filter(task=task, targets=targets), Options())
    report = (ROOT / f"docs/studies/{study}.md").read_text(encoding="utf-8")
    numbers = set(NUMBER.findall(report))
    assert len(numbers) >= 4
    assert numbers <= set(NUMBER.findall(text_of(boards, "md")))


def test_a_report_follows_from_the_records(tmp_path: Path) -> None:
    again = tmp_path / "masked-lm.md"
    store = str(FOLDER / "masked-lm")
    assert main(["study", "report", "masked-lm", "--backbone", "nano", "--store", store, "-o", str(again)]) == 0
    assert again.read_bytes() == (ROOT / "docs/studies/masked-lm.md").read_bytes()


@pytest.mark.skipif(not (FOLDER / "reference").is_dir(), reason="no reference Records here")
@pytest.mark.parametrize(("store", "task", "targets", "name"), BOARDS)
def test_the_board_follows_from_the_records(store: str, task: str, targets: str | None, name: str) -> None:
    form = format_of(None, Path(name))
    options = Options(bootstrap=form in ("json", "html"), detailed=form == "html")
    boards = boards_of(Store(FOLDER / store), Filter(task=task, targets=targets), options)
    assert not boards[0].skipped
    assert text_of(boards, form).encode() == (FOLDER / name).read_bytes()
