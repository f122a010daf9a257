"""Bad Records: each is named, left out with a visible count, and never fatal to the rest."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.board_records import CODES, ITEMS, answers, board_of, only, row_named, run_of, runs, shown
from xlt_bench.leaderboard.board.boards import board_of as board_of_store
from xlt_bench.leaderboard.board.boards import boards_of
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store

HALF = '{"schema_version": 1, "label": "\\ud800"}'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Four runs of one configuration."""
    found = Store(tmp_path / "store")
    for record, predictions in runs(0.7, 4):
        found.write(record, predictions)
    return found


def folders(store: Store) -> list[Path]:
    return sorted(path for path in store.folder.iterdir())


def rewrite(folder: Path, **changes: object) -> None:
    path = folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


def seeds_and_skipped(store: Store) -> tuple[int, tuple[str, ...]]:
    (board,) = boards_of(store, Filter(task="toy"), Options())
    return len(row_named(board, "XPE").seeds), board.skipped


def test_whole(store: Store) -> None:
    assert seeds_and_skipped(store) == (4, ())


def test_newer_schema(store: Store) -> None:
    rewrite(folders(store)[0], schema_version=99)
    seeds, skipped = seeds_and_skipped(store)
    assert seeds == 3
    assert len(skipped) == 1
    assert folders(store)[0].name in skipped[0]
    assert "schema 99 is newer" in skipped[0]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": 1}', "\udcff", HALF], ids=repr)
def test_broken_manifest(store: Store, text: str) -> None:
    (folders(store)[1] / "record.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    seeds, skipped = seeds_and_skipped(store)
    assert (seeds, len(skipped)) == (3, 1)
    assert folders(store)[1].name in skipped[0]


@pytest.mark.parametrize("keep", [0, 4, 200])
def test_half_copied_predictions(store: Store, keep: int) -> None:
    path = folders(store)[2] / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    seeds, skipped = seeds_and_skipped(store)
    assert (seeds, len(skipped)) == (3, 1)
    assert str(path) in skipped[0]


def test_half_copied_predictions_with_a_whole_cache(store: Store) -> None:
    seeds_and_skipped(store)
    path = folders(store)[2] / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:200])
    assert seeds_and_skipped(store)[0] == 3


def test_predictions_of_other_items(store: Store) -> None:
    record, predictions = runs(0.7, 1, label="SPT")[0]
    store.write(replace(record, item_hash="0" * 16), predictions)
    seeds, skipped = seeds_and_skipped(store)
    assert (seeds, len(skipped)) == (4, 1)
    assert "does not hold the items that its record.json speaks of" in skipped[0]


def test_predictions_that_do_not_match_those_of_the_others() -> None:
    own = answers(0.9)
    gold = own.gold.copy()
    gold[(own.language == CODES[3]) & (own.item_id == ITEMS[1])] = "river"
    odd = replace(own, gold=gold)
    board = board_of([*runs(0.7), (run_of(odd, label="odd"), odd)])
    assert len(board.skipped) == 1
    assert "odd" in board.skipped[0]
    assert f"not the task's in {CODES[3]}" in board.skipped[0]
    assert row_named(board, "odd").scores == {}
    assert any("left out: seed 0" in caveat for caveat in row_named(board, "odd").caveats)
    assert row_named(board, "XPE").scores["unseen"].seeds == 3


def test_other_items_than_the_others_have() -> None:
    fewer = answers(0.9, lacking={CODES[4]: ITEMS[:1]})
    board = board_of([*runs(0.7), (run_of(fewer, label="fewer"), fewer)])
    assert f"not the task's in {CODES[4]}" in board.skipped[0]


def test_an_item_twice() -> None:
    own = answers(0.9)
    columns = (own.language, own.item_id, own.gold, own.predicted)
    twice = Predictions(*(np.append(column, column[0]) for column in columns))
    board = board_of([*runs(0.7), (run_of(own, label="twice"), twice)])
    assert "item 'item00' of ccc_Cyrl is there twice" in board.skipped[0]


def test_the_same_run_twice() -> None:
    found = runs(0.7)
    board = board_of(found, [replace(found[1][0], label="again")])
    assert len(board.skipped) == 1
    assert "the same run is there twice" in board.skipped[0]
    assert row_named(board, "XPE").seeds == (0, 1, 2)


def test_a_copied_folder(store: Store) -> None:
    first = folders(store)[0]
    shutil.copytree(first, store.folder / "copy of it")
    seeds, skipped = seeds_and_skipped(store)
    assert (seeds, len(skipped)) == (4, 1)
    assert "copy of it" in skipped[0]


def test_an_unknown_label_counts_as_wrong_and_is_told() -> None:
    own = answers(1.0)
    predicted = own.predicted.copy()
    predicted[:8], predicted[8] = "sea", ""
    odd = replace(own, predicted=predicted)
    row = row_named(board_of([*runs(0.7), (run_of(odd, label="odd"), odd)]), "odd")
    assert row.caveats == ("9 of 80 answers name no class of the task (such as 'sea') and count as wrong.",)
    assert row.scores["unseen"].value == pytest.approx(71 / 80)


def test_all_bad_is_still_a_board(store: Store) -> None:
    for folder in folders(store):
        (folder / "predictions.parquet").write_bytes(b"PAR1")
    (board,) = boards_of(store, Filter(task="toy"), Options())
    assert only(board).rows[0].scores == {}
    assert len(board.skipped) == 4
    assert "Skipped, and not in any number above: 4 Records." in shown(board)


def test_a_record_of_an_older_schema_is_named(store: Store) -> None:
    path = folders(store)[0] / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 1}))
    seeds, skipped = seeds_and_skipped(store)
    assert (seeds, len(skipped)) == (3, 1)
    assert "schema 1 is older than this program's" in skipped[0]


def test_a_record_of_two_tasks_is_no_board(store: Store) -> None:
    records: list[Record] = [*store.records()[0], run_of(None, task="other")]
    with pytest.raises(ValueError, match="a board is of one task"):
        board_of_store(records, store, Options())
