"""Which tests are corrected together: the primary group's, each other group's, a table's, and those of hidden rows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.board_records import GROUPS, answers, board_of, correct, only, run_of, runs, shown
from xlt_bench.leaderboard.board.assemble import assemble
from xlt_bench.leaderboard.board.families import corrected
from xlt_bench.leaderboard.board.model import BoardContent
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.pairs import PairTests
from xlt_bench.leaderboard.render.markup import markdown
from xlt_bench.records.answers import Sheet, sheet_of
from xlt_bench.records.record import Record
from xlt_bench.stats import holm, pairwise

SHARES = {"a": 0.9, "b": 0.75, "c": 0.6}
METHODS = {label: runs(share, 4, label=label) for label, share in SHARES.items()}
RUNS = [run for found in METHODS.values() for run in found]


def p_of(group: str) -> np.ndarray:
    """(3, 3) uncorrected p of every pair."""
    return pairwise([correct(found, GROUPS[group]).mean(axis=1) for found in METHODS.values()]).p


def differing(board: BoardContent, group: str) -> set[tuple[str, str]]:
    """Pairs of rows that share no letter."""
    letters = {row.label: set(row.scores[group].letters) for row in only(board).rows}
    return {(one, other) for one in SHARES for other in SHARES if one < other and not letters[one] & letters[other]}


def test_each_group_is_a_family_and_one_is_primary() -> None:
    board = board_of(RUNS, primary="low-performing")
    section = only(board)
    assert (section.primary, dict(section.tests)) == ("low-performing", {"unseen": 3, "low-performing": 3})
    text = markdown(board)
    assert "Primary group: low\\-performing" in text or "Primary group: low-performing, 3 tests" in text
    assert "unseen (4, exploratory)" in text
    assert "low-performing (2)" in text
    assert "exploratory" not in markdown(board_of(RUNS, targets={"unseen": GROUPS["unseen"]}))


def test_without_a_primary_group_all_are_exploratory() -> None:
    section = only(board := board_of(RUNS))
    assert section.primary == ""
    assert "Exploratory, each group corrected for its own tests alone (unseen 3, low-performing 3 tests)" in shown(
        board, 300
    )


def test_the_primary_group_is_not_the_one_that_rows_are_sorted_by() -> None:
    low = GROUPS["low-performing"]
    own = answers(0.9, codes=low)
    few = (run_of(own, label="z", groups={"low-performing": low}, targets=low), own)
    section = only(board_of([*RUNS, few], primary="unseen"))
    assert (section.sorted_by, section.primary) == ("low-performing", "unseen")


def test_a_table_as_one_family_is_holm_over_all_its_tests() -> None:
    board = board_of(RUNS, family="table")
    assert dict(only(board).tests) == {"unseen": 6, "low-performing": 6}
    corners = np.triu_indices(3, k=1)
    adjusted = holm(np.concatenate([p_of(group)[corners] for group in ("unseen", "low-performing")]))
    labels = list(SHARES)
    pairs = [(labels[i], labels[j]) for i, j in zip(*corners, strict=True)]
    for group, part in (("unseen", adjusted[:3]), ("low-performing", adjusted[3:])):
        assert differing(board, group) == {pair for pair, p in zip(pairs, part, strict=True) if p <= 0.05}
    assert "Tests: p is corrected for all 6 of this table together." in shown(board, 200)


def with_hidden(count: int) -> BoardContent:
    """The board of RUNS with rows that a later version stands for."""
    hidden = [run for number in range(count) for run in runs(0.5, 1, label="a", hyperparameters={"version": number})]
    held = {record.cell.fingerprint: predictions for record, predictions in [*RUNS, *hidden]}
    return assemble(
        [record for record, _ in RUNS],
        lambda record: sheet_of(held[record.cell.fingerprint], record.labels),
        Options(primary="unseen"),
        superseded=[record for record, _ in hidden],
    )


def test_rows_that_are_hidden_still_count() -> None:
    assert with_hidden(0).sections == board_of(RUNS, primary="unseen").sections
    board = with_hidden(30)
    section = only(board)
    assert section.superseded == 30
    assert {row.label for row in section.rows} == set(SHARES)
    hidden_pairs = 30 * 3 + 30 * 29 // 2
    assert section.tests["unseen"] == 3 + hidden_pairs
    corners = np.triu_indices(3, k=1)
    adjusted = holm(p_of("unseen")[corners], hidden_pairs)
    labels = list(SHARES)
    expected = {(labels[i], labels[j]) for i, j, p in zip(*corners, adjusted, strict=True) if p <= 0.05}
    assert differing(board, "unseen") == expected
    assert len(expected) < len(differing(with_hidden(0), "unseen"))
    assert "30 earlier versions of rows are hidden" in shown(board, 300)


def test_a_hidden_row_that_never_ran_does_not_count() -> None:
    failed = run_of(None, label="a", hyperparameters={"version": 1})
    board = assemble([record for record, _ in RUNS], load, superseded=[failed])
    assert only(board).superseded == 0


def load(record: Record) -> Sheet:
    predictions = next(own for run, own in RUNS if run.cell.fingerprint == record.cell.fingerprint)
    return sheet_of(predictions, record.labels)


def test_pairs_without_a_test_are_not_counted() -> None:
    nan = np.nan
    p = np.array([[nan, 0.01, nan], [0.01, nan, nan], [nan, nan, nan]])
    tests = {"g": PairTests(np.zeros((3, 3)), p, p)}
    adjusted, counts = corrected(tests, "group", hidden_rows=1)
    assert counts == {"g": 1 + 3}
    assert adjusted["g"][0, 1] == adjusted["g"][1, 0] == pytest.approx(0.04)
    assert np.isnan(adjusted["g"][0, 2])


def test_a_table_whose_rows_cannot_be_tested_is_a_family_of_none() -> None:
    assert dict(only(board_of(METHODS["a"], family="table")).tests) == {}
