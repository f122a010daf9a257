"""Rows of methods with further data: shown, and ranked among those that were handed the same kinds of it."""

from __future__ import annotations

import csv
import io

from tests.support.board_records import Run, board_of, floor, row_named, runs, shown
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.render.markup import markdown
from xlt_bench.leaderboard.render.page.document import page
from xlt_bench.leaderboard.render.plain_data import as_csv

RESOURCES = {"source-parallel": "0" * 16}


def mixed() -> BoardContent:
    """Two rows without further data, two with parallel source items, one with two resources; and a floor."""
    parallel: list[Run] = [
        *runs(0.9, label="PAR", resources=RESOURCES),
        *runs(0.5, label="PAR2", resources=RESOURCES),
        *runs(0.8, label="BOTH", resources={**RESOURCES, "label-words": "1" * 16}),
    ]
    return board_of([*runs(0.6), *runs(0.7, label="SPT"), *parallel, *floor(0.4)])


def test_a_table_holds_rows_of_one_set_of_resources_with_the_floors() -> None:
    tables = {section.title: {row.label for row in section.rows} for section in mixed().sections}
    assert tables == {
        "Cross-lingual zero-shot, backbone tiny": {"XPE", "SPT", "majority"},
        "Cross-lingual zero-shot, with label-words and source-parallel, backbone tiny": {"BOTH", "majority"},
        "Cross-lingual zero-shot, with source-parallel, backbone tiny": {"PAR", "PAR2", "majority"},
    }


def test_numbers_without_further_data_are_those_of_a_board_without_the_others() -> None:
    alone = board_of([*runs(0.6), *runs(0.7, label="SPT"), *floor(0.4)]).sections[0]
    assert mixed().sections[0] == alone
    assert all(count == 3 for count in alone.tests.values())


def test_every_rendering_names_the_resources_of_a_row() -> None:
    board = mixed()
    assert row_named(board, "BOTH").resources == ("label-words", "source-parallel")
    assert "seen, source-parallel, 3 seeds" in shown(board)
    assert "| label-words, source-parallel |" in markdown(board)
    assert "<dt>Resources</dt><dd><bdi>label-words, source-parallel</bdi></dd>" in page(board)
    cells = {line["method"]: line["resources"] for line in csv.DictReader(io.StringIO(as_csv([board])))}
    assert cells["PAR"] == "source-parallel"
    assert cells["XPE"] == ""


def test_a_method_without_backbone_but_with_resources_is_no_floor_of_others() -> None:
    handed = runs(0.9, label="words", resources=RESOURCES, backbone="none", backbone_hash="none", recipe=None)
    board = board_of([*runs(0.6), *handed])
    assert [section.title for section in board.sections] == [
        "Cross-lingual zero-shot, with source-parallel, no backbone",
        "Cross-lingual zero-shot, backbone tiny",
    ]
