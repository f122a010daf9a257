"""Ends of the range, seeds far from the others, pairs by the bootstrap, and languages taken at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.board_records import (
    CODES,
    GROUPS,
    Run,
    answers,
    board_of,
    correct,
    only,
    row_named,
    run_of,
    runs,
    shown,
)
from xlt_bench.leaderboard.board.resampled_pairs import resampled_pairs
from xlt_bench.leaderboard.render.latex import latex
from xlt_bench.leaderboard.render.markup import markdown
from xlt_bench.leaderboard.render.output import text_of
from xlt_bench.leaderboard.render.page.document import page

UNSEEN = GROUPS["unseen"]


@pytest.mark.parametrize(("share", "end"), [(1.01, 1.0), (-1.0, 0.0)])
def test_at_the_ends_of_the_range_an_exact_bound_by_cluster(share: float, end: float) -> None:
    score = row_named(board_of(runs(share, 3), bootstrap=True), "XPE").scores["unseen"]
    reach = 1 - 0.025 ** (1 / 20)
    expected = (1 - reach, 1.0) if end else (0.0, reach)
    for bounds in (score.two_way, score.bootstrap):
        assert bounds is not None
        assert (bounds.low, bounds.high) == pytest.approx(expected)
    assert score.value == end
    assert score.note is not None
    assert "exact bound from 20 clusters" in score.note


def test_a_row_without_variance_inside_the_range_says_so() -> None:
    alike = answers(0.5)
    half = replace(alike, predicted=np.where(alike.language < CODES[4], alike.gold, "sea").astype(object))
    found = [(run_of(half, seed=seed), half) for seed in range(3)]
    score = row_named(board_of(found), "XPE").scores["unseen"]
    assert score.value == 0.5
    assert score.two_way is not None
    assert score.two_way.low == score.two_way.high
    assert score.note == "no variance"


def collapsed() -> list[Run]:
    """Six seeds of which one answers a single class."""
    found = runs(0.9, 6)
    record, own = found[4]
    return [*found[:4], (record, replace(own, predicted=np.full(len(own), "town", object))), found[5]]


def test_a_collapsed_seed_is_told_beside_the_row_in_every_rendering() -> None:
    board = board_of([*collapsed(), *runs(0.6, 6, label="SPT")], bootstrap=True)
    scores = row_named(board, "XPE").scores
    assert {score.outliers for score in scores.values()} == {(4,)}
    assert all(score.outliers == () for score in row_named(board, "SPT").scores.values())
    by_seed = correct(collapsed(), UNSEEN).mean(axis=(1, 2))
    assert scores["unseen"].by_seed == pytest.approx(by_seed.tolist())
    rest = np.delete(by_seed, 4)
    sentence = (
        f"seed 4 has {100 * by_seed[4]:.1f} on unseen, the others {100 * rest.min():.1f} to {100 * rest.max():.1f}"
    )
    for text in (shown(board, 400), markdown(board), latex(board), page(board)):
        assert sentence in text
    assert "^" in next(line for line in shown(board, 400).splitlines() if "XPE" in line)
    assert '"outliers": [\n' in text_of([board], "json")
    assert ",4," in text_of([board], "csv")


def test_pairs_by_the_bootstrap_are_found_among_many_rows() -> None:
    """Holm's multiple of the least p of 10,000 resamples is above 5% from 23 rows on."""
    rng = np.random.default_rng(0)
    means = np.linspace(0, 0.02, 30)
    means[-1] = 1.0
    shared = rng.normal(0, 0.02, 10_000)
    draws = means[:, None] + shared + rng.normal(0, 0.01, (30, 10_000))
    p, adjusted = resampled_pairs(draws, np.ones(30, bool))
    assert (adjusted[-1, :-1] < 0.01).all()
    assert adjusted[0, 1] > 0.5
    assert (np.nan_to_num(adjusted) >= np.nan_to_num(p)).all()
    assert np.array_equal(adjusted, adjusted.T, equal_nan=True)
    assert 435 * np.nanmin(p) > 0.05


def test_the_bootstraps_correction_holds_its_level() -> None:
    rng, errors = np.random.default_rng(1), 0
    for _ in range(200):
        truth = rng.normal(0, 1, 8)
        draws = truth[:, None] + rng.normal(0, 1, (8, 2_000))
        _, adjusted = resampled_pairs(draws, np.ones(8, bool))
        errors += bool(np.nanmin(adjusted) <= 0.05)
    assert errors <= 20  # 10 are expected, 20 are three standard deviations above


def test_one_run_and_still_rows_have_no_pairs_by_the_bootstrap() -> None:
    draws = np.stack([np.full(100, 0.5), np.full(100, 0.5), np.full(100, 0.7), np.linspace(0, 1, 100)])
    p, adjusted = resampled_pairs(draws, np.array([True, True, True, False]))
    assert p[0, 1] == adjusted[0, 1] == 1.0
    assert np.isnan(p[0, 2])
    assert np.isnan(p[3]).all()


def test_random_languages_give_wider_intervals_and_say_what_they_mean() -> None:
    found = [*runs(0.9, 6), *runs(0.5, 6, label="SPT")]
    fixed = row_named(board_of(found, interval="bootstrap"), "XPE").scores["unseen"].bootstrap
    board = board_of(found, interval="bootstrap", random_languages=True)
    score = row_named(board, "XPE").scores["unseen"]
    assert fixed is not None
    assert score.bootstrap is not None
    assert score.bootstrap.high - score.bootstrap.low > fixed.high - fixed.low
    assert "Languages are taken as drawn at random, family by family" in shown(board, 200)
    assert board.random_languages
    assert (
        score.bootstrap
        == row_named(board_of(found[:6], interval="bootstrap", random_languages=True), "XPE").scores["unseen"].bootstrap
    ), "a row's draw does not depend on the others"
    assert row_named(board, "XPE").scores["unseen"].rank == 1
    assert only(board).tests["unseen"] == 1


def test_random_languages_of_one_family_have_no_interval() -> None:
    (family,) = {"one"}
    codes = ("deu_Latn", "nld_Latn")
    own = answers(0.7, codes=codes)
    records = [(run_of(own, seed=seed, targets=codes, groups={family: codes}), own) for seed in range(3)]
    board = board_of(records, interval="bootstrap", random_languages=True)
    score = row_named(board, "XPE").scores[family]
    assert (score.bootstrap, score.rank) == (None, None)
    assert score.note is not None
    assert "all languages are of one family: no interval" in score.note
