"""What a row's number may be said to show: clusters, one run, stored answers, chance, other metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.board.test_numbers import two_way_by_hand
from tests.support.board_records import (
    CLASSES,
    CODES,
    GROUPS,
    ITEMS,
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
from xlt_bench.leaderboard.render.latex import latex
from xlt_bench.leaderboard.render.markup import markdown
from xlt_bench.metrics import metric_named
from xlt_bench.records.record import Predictions
from xlt_bench.stats import compare, macro_f1_pseudo_values, pairwise

UNSEEN = GROUPS["unseen"]
ARTICLES = {item: ITEMS[3 * (number // 3)] for number, item in enumerate(ITEMS)}
"""Clusters of three, the last one of two."""


def clustered(found: list[Run], clusters: Mapping[str, str] = ARTICLES) -> list[Run]:
    """The same runs of a task that says which items belong together."""
    again = [(record, predictions.clustered(clusters)) for record, predictions in found]
    return [(replace(record, item_hash=predictions.item_hash()), predictions) for record, predictions in again]


def sums_by_hand(x: np.ndarray) -> np.ndarray:
    """Scores (seeds, items) as scores (seeds, clusters) with the same means."""
    names = list(dict.fromkeys(ARTICLES.values()))
    members = [[ITEMS.index(item) for item in ITEMS if ARTICLES[item] == name] for name in names]
    mean = x.mean()
    return np.stack([mean + len(names) / len(ITEMS) * (x[:, own] - mean).sum(axis=1) for own in members], axis=1)


def test_intervals_ranks_and_comparisons_are_by_cluster() -> None:
    methods = {label: clustered(runs(share, 4, label=label)) for label, share in (("a", 0.9), ("b", 0.6), ("c", 0.5))}
    board = board_of([run for found in methods.values() for run in found], reference="b")
    xs = {label: sums_by_hand(correct(found, UNSEEN).mean(axis=1)) for label, found in methods.items()}
    score = row_named(board, "a").scores["unseen"]
    assert (score.items, score.clusters) == (20, 7)
    assert score.two_way is not None
    assert (score.two_way.low, score.two_way.high) == pytest.approx(two_way_by_hand(xs["a"]), abs=1e-12)
    test = compare(xs["a"], xs["b"], further_rows=[xs["c"]])
    assert score.against is not None
    assert (score.against.bounds.low, score.against.bounds.high) == pytest.approx((test.low, test.high))
    better = pairwise(list(xs.values())).adjusted_p <= 0.05
    letters = [row_named(board, label).scores["unseen"].letters for label in xs]
    for one in range(3):
        for other in range(one):
            assert bool(set(letters[one]) & set(letters[other])) != better[one, other]


def test_a_board_with_some_records_from_before_the_clusters_takes_those_of_the_others() -> None:
    old = runs(0.6, label="old")
    board = board_of([*old, *clustered(runs(0.8, label="new"))])
    assert row_named(board, "old").scores["unseen"].clusters == 7
    assert board.caveats == ()


def test_records_with_other_clusters_than_most_are_told_and_count() -> None:
    other = clustered(runs(0.6, 2, label="other"), {item: ITEMS[0] if item < ITEMS[9] else item for item in ITEMS})
    board = board_of([*other, *clustered(runs(0.8, label="new"))])
    assert row_named(board, "other").scores["unseen"].clusters == 7
    assert board.caveats[0].startswith("2 Records have other clusters of items than most")
    assert board.caveats[0] in shown(board, 400)


def test_one_cluster_has_no_interval_and_no_test() -> None:
    together = dict.fromkeys(ITEMS, ITEMS[0])
    board = board_of([*clustered(runs(0.9), together), *clustered(runs(0.4, label="SPT"), together)])
    score = row_named(board, "XPE").scores["unseen"]
    assert (score.two_way, score.rank, score.letters, score.clusters) == (None, None, "", 1)
    assert score.note == "all items are one cluster: no interval"


def test_the_bootstrap_draws_clusters() -> None:
    found = runs(0.7, 5)
    wide, narrow = (
        row_named(board_of(some, bootstrap=True), "XPE").scores["unseen"].bootstrap
        for some in (clustered(found, {item: ITEMS[5 * (n // 5)] for n, item in enumerate(ITEMS)}), found)
    )
    assert wide is not None
    assert narrow is not None
    assert wide != narrow


def test_one_run_has_hollow_letters_and_no_verdict() -> None:
    board = board_of([*runs(0.95, 4), *runs(0.4, 4, label="SPT"), *runs(0.7, 1, label="once")])
    once = row_named(board, "once").scores["unseen"]
    assert (once.inference, once.hollow) == ("one run", True)
    assert row_named(board, "XPE").scores["unseen"].letters == "a"
    assert row_named(board, "SPT").scores["unseen"].letters == "b"
    assert once.letters == "ab", "nothing tells it from anything"
    assert row_named(board, "XPE").scores["unseen"].worst_rank == 2
    x = correct(runs(0.7, 1, label="once"), UNSEEN).mean(axis=1)
    assert once.two_way is not None
    half = (once.two_way.high - once.two_way.low) / 2
    assert half == pytest.approx(2.093024 * np.sqrt(x[0].var(ddof=1) / 20), rel=1e-6)  # t of 19 degrees of freedom
    assert only(board).tests["unseen"] == 1
    for text in (shown(board, 200), markdown(board), latex(board)):
        assert "(ab)" in text
        assert "another run would differ" in text


def test_a_reference_of_one_run_gives_no_verdict() -> None:
    board = board_of([*runs(0.95, 4), *runs(0.3, 1, label="once")], reference="once")
    against = row_named(board, "XPE").scores["unseen"].against
    assert against is not None
    assert (against.p, against.verdict) == (None, None)


def test_stored_answers_are_tested_as_these_answers() -> None:
    told = {"setting": "zero-shot prompt", "sources": ()}
    found = [*runs(0.95, 1, label="good", method="good", **told), *runs(0.3, 1, label="bad", method="bad", **told)]
    board = board_of(found)
    good, bad = (row_named(board, label).scores["unseen"] for label in ("good", "bad"))
    assert (good.inference, good.letters, bad.letters) == ("these answers", "a", "b")
    assert "Inference for these answers, random over items (there are no seeds): all rows." in shown(board, 200)


def shifted(share: float, label: str) -> list[Run]:
    """Runs that answer the most frequent class but for some items, on which they are right or wrong by turns."""
    found = []
    for seed in range(4):
        own = answers(1.0, seed=seed)
        numbers = np.array([int(item[4:]) for item in own.item_id])
        odd = (numbers * 7 + seed) % 20 < 20 * share
        predicted = np.where(odd, own.gold, CLASSES[0])
        found.append((own, predicted.astype(object)))
    again = [(replace(own, predicted=predicted), seed) for seed, (own, predicted) in enumerate(found)]
    return [(run_of(own, label=label, seed=seed), own) for own, seed in again]


def test_at_chance_is_a_paired_test_on_the_same_items() -> None:
    """The majority's answers, and better on 8 of 20 items: above it, though the row's interval holds its accuracy."""
    board = board_of([*shifted(0.4, "above"), *shifted(0.0, "equal")])
    above, equal = (row_named(board, label).scores["unseen"] for label in ("above", "equal"))
    x = correct(shifted(0.4, "above"), UNSEEN).mean(axis=1)
    majority = np.array([[float(int(item[4:]) % 2) for item in ITEMS]])
    test = compare(x, majority, deterministic=(False, True))
    assert (above.at_chance, equal.at_chance) == (test.p is None or test.p > 0.05, True)
    assert not above.at_chance
    assert above.two_way is not None
    assert above.two_way.low < 0.5 < above.value, "its own interval holds the majority's accuracy"


def test_macro_f1_has_intervals_tests_and_chance() -> None:
    metric = metric_named("macro-f1")
    methods = {label: runs(share, 4, label=label) for label, share in (("XPE", 0.9), ("SPT", 0.4))}
    board = board_of([run for found in methods.values() for run in found], metric=metric)
    positions = {label: place for place, label in enumerate(CLASSES)}

    def array(own: Predictions, column: str) -> np.ndarray:
        values = getattr(own, column)
        return np.array([[positions[v] for v in values[own.language == code]] for code in UNSEEN])

    gold = array(methods["XPE"][0][1], "gold")
    for label, found in methods.items():
        predicted = np.stack([array(own, "predicted") for _, own in found])
        x = macro_f1_pseudo_values(gold, predicted, 3).mean(axis=1)
        score = row_named(board, label).scores["unseen"]
        assert score.value == pytest.approx(x.mean())
        assert score.by_seed == pytest.approx(x.mean(axis=1).tolist())
        assert score.two_way is not None
        assert (score.two_way.low, score.two_way.high) == pytest.approx(two_way_by_hand(x))
    assert [row.scores["unseen"].letters for row in only(board).rows] == ["a", "b"]
    assert list(board.chance.values()) == pytest.approx([2 * 10 / (10 + 20) / 3] * 4)
    assert "macro-F1 in per cent" in shown(board, 200)


def test_published_accuracies_are_no_macro_f1() -> None:
    weak = run_of(answers(0.9), label="printed", evidence="per_language", setting="linear probe", sources=())
    board = board_of(runs(0.9), [weak], metric=metric_named("macro-f1"))
    assert row_named(board, "printed").scores == {}


def test_single_seeds_are_told() -> None:
    score = row_named(board_of(runs(0.7, 4)), "XPE").scores["unseen"]
    assert score.by_seed == pytest.approx(correct(runs(0.7, 4), UNSEEN).mean(axis=(1, 2)).tolist())


def test_codes_of_the_board_are_those_of_the_records() -> None:
    assert row_named(board_of(runs()), "XPE").by_language.keys() == set(CODES[2:])
