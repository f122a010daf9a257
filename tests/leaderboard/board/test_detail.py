"""What only the page shows: tests of single languages against `compare`, and curves from histories."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.support.board_records import CODES, GROUPS, board_of, correct, only, runs
from xlt_bench.leaderboard.board.curves import MOST_POINTS
from xlt_bench.stats import IntervalMethod, benjamini_hochberg, compare

ROWS = {"XPE": 0.9, "SPT": 0.5, "DUAL": 0.7}


@pytest.mark.parametrize("interval", ["two-way", "bootstrap"])
def test_languages_are_tested_as_compare_does_within_a_table(interval: IntervalMethod) -> None:
    """p of each language on its own, the other rows saying how much seeds vary; then corrected over languages."""
    records = {label: runs(share, seeds=4, label=label) for label, share in ROWS.items()}
    section = only(board_of([run for of_row in records.values() for run in of_row], interval=interval, detailed=True))
    assert section.detail is not None
    tests = section.detail.by_language
    assert tests is not None
    codes = CODES[2:]
    xs = {label: correct(of_row, codes) for label, of_row in records.items()}
    assert tests.rows == (0, 1, 2)
    assert tuple(tests.q) == codes
    for number, (first, second) in enumerate(combinations(section.rows, 2)):
        (third,) = {row.label for row in section.rows} - {first.label, second.label}
        p = [
            compare(xs[first.label][:, k], xs[second.label][:, k], further_rows=[xs[third][:, k]]).p
            for k in range(len(codes))
        ]
        expected = benjamini_hochberg([np.nan if value is None else value for value in p])
        assert [tests.q[code][number] for code in codes] == pytest.approx(expected.tolist(), abs=1e-9)


def test_across_seeds_few_seeds_give_no_test() -> None:
    few = [run for label, share in ROWS.items() for run in runs(share, seeds=3, label=label)]
    section = only(board_of(few, interval="seeds", detailed=True))
    assert section.detail is not None
    assert section.detail.by_language is not None
    assert section.detail.by_language.q == {}  # at best 2 of 20 relabellings
    many = [run for label, share in ROWS.items() for run in runs(share, seeds=5, label=label)]
    section = only(board_of(many, interval="seeds", detailed=True))
    assert section.detail is not None
    assert section.detail.by_language is not None
    assert section.detail.by_language.q.keys() == set(CODES[2:])


def test_a_language_that_a_row_was_fitted_on_is_in_no_pair_of_it() -> None:
    own = {"sources": CODES[2:3], "sources_label": "one", "targets": CODES[3:]}
    groups = {"low-performing": GROUPS["low-performing"]}
    rows = [run for label in ("XPE", "SPT") for run in runs(ROWS[label], label=label)]
    rows += [run for label in ("DUAL", "LORA") for run in runs(0.7, label=label, groups=groups, **own)]
    section = only(board_of(rows, detailed=True))
    assert section.detail is not None
    tests = section.detail.by_language
    assert tests is not None
    for pair, (first, second) in enumerate(combinations(tests.rows, 2)):
        sources = {section.rows[first].sources, section.rows[second].sources}
        assert (tests.q[CODES[2]][pair] is None) == ("one" in sources)
        assert tests.q[CODES[3]][pair] is not None


def test_without_being_asked_nothing_of_it_is_there() -> None:
    assert only(board_of(runs())).detail is None


def test_one_row_has_no_pairs() -> None:
    section = only(board_of(runs(), detailed=True))
    assert section.detail is not None
    assert (section.detail.pairs, section.detail.by_language) == ({}, None)


def history(steps: int) -> list[dict[str, float]]:
    return [{"step": 10 * k, "dev_accuracy": k / (steps + 1)} for k in range(1, steps + 1)]


def test_curves_of_histories() -> None:
    records = runs(fit={"history": history(3), "selected_step": 20})
    section = only(board_of(records, detailed=True))
    assert section.detail is not None
    curve = section.detail.curves[0][1]
    assert (curve.seed, curve.steps, curve.accuracy, curve.selected) == (1, (10, 20, 30), (0.25, 0.5, 0.75), 20)
    long = only(board_of(runs(fit={"history": history(500)}), detailed=True))
    assert long.detail is not None
    steps = long.detail.curves[0][0].steps
    assert len(steps) == len(set(steps)) == MOST_POINTS
    assert (steps[0], steps[-1]) == (10, 5000)


@pytest.mark.parametrize(
    "words",
    [
        None,
        "none",
        [],
        [1, 2],
        [{"step": 1}],
        [{"step": 1, "dev_accuracy": 0.5}],
        [{"step": 1, "dev_accuracy": 7}] * 2,
        [{"step": "a", "dev_accuracy": 0.5}] * 2,
    ],
)
def test_what_is_no_history_is_no_curve(words: object) -> None:
    section = only(board_of(runs(fit={"history": words}), detailed=True))
    assert section.detail is not None
    assert section.detail.curves == {}


def test_few_shot_rows_of_one_configuration_are_a_series() -> None:
    full = {"protocol": "full", "sources": CODES[:2]}
    found = []
    for shots in (0, 8, None):
        for code in CODES[2:]:
            found += runs(label="XPE", shots=shots, targets=(code,), **full)
    board = board_of(found, detailed=True)
    points = [point for section in board.sections if section.detail for point in section.detail.few_shot.values()]
    assert [point.shots for point in points] == [0, 8, None]
    assert len({point.series for point in points}) == 1
    assert {point.name for point in points} == {"XPE (seen)"}
