"""Stored baselines on the board: the paper's tables, the evidence that is shown, and what may not be ranked."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.board_records import row_named, run_of
from xlt_bench.baselines import TASK_HASH, baselines
from xlt_bench.leaderboard.board.assemble import assemble
from xlt_bench.leaderboard.board.boards import boards_of, by_task, load
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.render.notes import board_title
from xlt_bench.metrics import ACCURACY
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store

TABLE_1 = {
    ("low-performing", "enarzho"): (35.2, 36.5, 36.2, 35.3),
    ("low-performing", "joshi5"): (36.0, 36.8, 37.3, 39.1),
    ("low-performing", "seen"): (39.1, 39.3, 40.3, 41.9),
    ("unseen", "enarzho"): (54.8, 56.0, 55.6, 53.7),
    ("unseen", "joshi5"): (56.0, 56.4, 57.6, 57.2),
    ("unseen", "seen"): (58.9, 59.5, 60.1, 60.8),
    ("seen-wo-joshi5", "enarzho"): (84.7, 84.8, 84.6, 82.6),
    ("seen-wo-joshi5", "joshi5"): (85.6, 85.3, 86.6, 84.5),
    ("all-wo-joshi5", "enarzho"): (67.7, 68.4, 68.0, 66.2),
    ("all-wo-joshi5", "joshi5"): (68.7, 68.8, 70.0, 69.0),
}
METHODS = ("SPT", "DUAL XPE-30", "DUAL XPE-70", "XPE")
TABLE_2 = {  # unseen, seen-wo-joshi5, all-wo-joshi5: GPT's are the means of Table 7 over 112, 85 and 197 languages
    "GPT-3.5 (as printed)": (35.66, 55.73, 44.32),
    "GPT-4 (as printed)": (39.21, 68.11, 51.68),
}


@pytest.fixture(scope="module")
def empty() -> BoardContent:
    """The board of an empty store."""
    return published_board("sib200")


def published_board(task: str) -> BoardContent:
    (board,) = boards_of(Store(Path("no such store")), Filter(task), Options())
    return board


def of_sib200() -> list[Record]:
    return [record for record, _ in published.published().values() if record.cell.task == "sib200"]


def of_evidence(*levels: str) -> BoardContent:
    """A board of the baselines with these kinds of evidence alone."""
    records = [record for record in of_sib200() if record.evidence in levels]
    return assemble(records, partial(load, Store(Path("no such store"))), witness=published.listed_items())


def test_an_empty_store_shows_every_system_once(empty: BoardContent) -> None:
    assert empty.task == "sib200"
    assert not empty.skipped
    keys = [row.key for section in empty.sections for row in section.rows]
    assert len(keys) == len(set(keys)) > 60
    assert {row.evidence for section in empty.sections for row in section.rows} == {
        "per_item",
        "per_language",
        "aggregate",
    }


def test_table_1_as_printed(empty: BoardContent) -> None:
    (section,) = (one for one in empty.sections if one.title == "Published: cross-lingual zero-shot")
    rows = {(row.label, row.sources): row for row in section.rows}
    for (group, sources), values in TABLE_1.items():
        found = [100 * rows[method, sources].scores[group].value for method in METHODS]
        assert found == pytest.approx(values, abs=1e-9)
    for method in METHODS:  # a target among the sources is no transfer
        assert set(rows[method, "seen"].scores) == {"low-performing", "unseen"}


def test_table_2_follows_from_the_figures_by_language() -> None:
    board = of_evidence("per_language")
    groups = ("unseen", "seen-wo-joshi5", "all-wo-joshi5")
    for label, printed in TABLE_2.items():
        scores = row_named(board, label).scores
        assert [round(100 * scores[group].value, 2) for group in groups] == list(printed)
        assert [scores[group].languages for group in groups] == [112, 85, 197]
        assert scores["unseen"].missing == scores["all-wo-joshi5"].missing == ("nqo_Nkoo",)


def test_tables_2_and_3_as_printed() -> None:
    board = of_evidence("aggregate")
    assert 100 * row_named(board, "Phi-3.5-mini").scores["seen-wo-joshi5"].value == pytest.approx(49.02)
    assert 100 * row_named(board, "RoSPrompt").scores["seen-wo-joshi5"].value == pytest.approx(67.3)
    (section,) = (one for one in board.sections if one.setting == "sequential transfer")
    dual = next(row for row in section.rows if row.label == "DUAL XPE-70")
    assert {group: round(100 * score.value, 1) for group, score in dual.scores.items()} == {
        "full-23-unseen": 65.1,
        "full-23-seen": 87.6,
        "full-46": 76.3,
    }


def test_answers_to_items_come_before_figures_by_language(empty: BoardContent) -> None:
    (section,) = (one for one in empty.sections if one.setting == "zero-shot prompt")
    assert {row.label: row.evidence for row in section.rows} == {
        "GPT-4": "per_item",
        "GPT-3.5": "per_item",
        "Phi-3.5-mini": "aggregate",
    }
    told = row_named(empty, "GPT-4")
    assert any("entertainment" in caveat for caveat in told.caveats)
    assert told.scores["unseen"].rank == 1
    assert (told.scores["unseen"].inference, told.scores["unseen"].note) == ("these answers", None)
    assert (told.scores["unseen"].items, told.scores["unseen"].clusters) == (204, 154)
    assert told.licence


def test_no_interval_test_or_rank_without_answers_to_items(empty: BoardContent) -> None:
    weak = [row for section in empty.sections for row in section.rows if row.evidence != "per_item"]
    for score in (score for row in weak for score in row.scores.values()):
        assert (score.two_way, score.bootstrap, score.rank, score.letters) == (None, None, None, "")
        assert score.note == "point value: no interval, no test"


def test_chance_is_the_largest_class(empty: BoardContent) -> None:
    assert set(empty.chance.values()) == {51 / 204}


def test_a_baseline_is_a_record_that_survives_json() -> None:
    records = [record for record, _ in published.published().values()]
    assert len(records) == len(baselines())
    for record in records:
        again = Record.from_json(record.as_json())
        assert again == record
        assert again.source
        assert again.licence


def test_every_section_says_what_its_rows_have_in_common(empty: BoardContent) -> None:
    assert [section.setting for section in empty.sections] == list(dict.fromkeys(s.setting for s in empty.sections))
    assert [section.setting for section in of_evidence("per_item").sections] == ["zero-shot prompt", "no text read"]


def test_the_nearest_id_is_a_row_and_every_board_notes_the_leak(empty: BoardContent) -> None:
    row = row_named(empty, "nearest index id")
    assert {round(score.value, 4) for score in row.scores.values()} == {0.7108}
    assert {score.inference for score in row.scores.values()} == {"these answers"}
    assert any("Train and test sentences come from the same articles: 184 of the 204" in text for text in empty.caveats)


def test_the_nearest_id_stands_below_our_own_runs() -> None:
    """As the floor of every section of our own runs, it has no section of its own beside them."""
    nearest = [record for record in of_sib200() if record.setting == "no text read"]
    own = run_of(None, task="sib200", task_hash=TASK_HASH)
    board = assemble([*nearest, own], partial(load, Store(Path("no such store"))), witness=published.listed_items())
    assert [[row.label for row in section.rows] for section in board.sections] == [["nearest index id", "XPE"]]


def test_without_runs_every_task_with_published_results_has_a_board() -> None:
    boards = boards_of(Store(Path("no such store")), Filter(), Options())
    assert [board.task for board in boards] == ["americas-nli", "nusax", "sib200"]
    assert [bool(board.task_hash) for board in boards] == [False, False, True]
    assert "Task nusax (as published): macro-F1" in board_title(boards[1])


def test_nusax_is_shown_by_its_own_metric_and_by_accuracy_where_that_was_published() -> None:
    board = published_board("nusax")
    row = row_named(board, "XLM-R large, full fine-tuning")
    local = [0.759, 0.771, 0.655, 0.863, 0.7, 0.749, 0.831, 0.733]  # but for Javanese and Sundanese, which XLM-R saw
    assert row.scores["unseen"].value == pytest.approx(sum(local) / 8)
    (by_accuracy,) = boards_of(Store(Path("no such store")), Filter("nusax"), Options(metric=ACCURACY))
    assert "unseen" in row_named(by_accuracy, "BAAI/bge-m3").scores
    assert not row_named(by_accuracy, "XLM-R large, full fine-tuning").scores


def test_figures_that_claim_no_data_stand_with_each_data_of_their_task() -> None:
    record = next(record for record, _ in published.published().values() if record.cell.task == "nusax")
    runs = [published.on_data(record, task_hash) for task_hash in ("aa", "bb")]
    groups = {of_task[0].cell.task_hash: of_task for of_task in by_task([record, *runs])}
    assert groups.keys() == {"aa", "bb"}
    assert all(len({member.cell.task_hash for member in of_task}) == 1 for of_task in groups.values())
    assert all(len(of_task) == 2 for of_task in groups.values())
    assert by_task([record]) == [[record]]
