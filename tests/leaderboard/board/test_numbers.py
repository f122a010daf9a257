"""The numbers of a board against computations of their own: means, intervals, ranks, letters, comparisons."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tests.support.board_records import (
    CODES,
    GROUPS,
    ITEMS,
    Run,
    answers,
    board_of,
    correct,
    floor,
    only,
    row_named,
    run_of,
    runs,
)
from xlt_bench.errors import ConfigError
from xlt_bench.stats import compare, pairwise

UNSEEN = GROUPS["unseen"]


def two_way_by_hand(x: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """The interval by components, written out; `x` (seeds, clusters)."""
    seeds, clusters = x.shape
    v_seed = x.mean(axis=1).var(ddof=1) / seeds
    v_item = x.mean(axis=0).var(ddof=1) / clusters
    rest = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
    v_cell = (rest**2).sum() / ((seeds - 1) * (clusters - 1)) / (seeds * clusters)
    v = max(v_seed + v_item - v_cell, v_seed, v_item)
    t_seed, t_item = scipy_stats.t.ppf((1 + level) / 2, [seeds - 1, clusters - 1])
    half = np.sqrt(v_seed * t_seed**2 + (v - v_seed) * t_item**2)
    return x.mean() - half, x.mean() + half


def holm_by_hand(p: list[float]) -> list[float]:
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, highest = [0.0] * len(p), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - place) * p[i]))
        adjusted[i] = highest
    return adjusted


def test_mean_and_interval_of_balanced_answers() -> None:
    found = runs(0.7, 4)
    score = row_named(board_of(found), "XPE").scores["unseen"]
    x = correct(found, UNSEEN).mean(axis=1)
    assert score.value == pytest.approx(x.mean(), abs=1e-12)
    assert score.two_way is not None
    assert (score.two_way.low, score.two_way.high) == pytest.approx(two_way_by_hand(x), abs=1e-12)
    assert (score.seeds, score.languages, score.items, score.missing) == (4, 4, 20, ())


def test_missing_items_are_centred_by_language() -> None:
    lacking = {CODES[2]: ITEMS[:8], CODES[4]: ITEMS[5:9]}
    found = [(run_of(own := answers(0.6, seed=s, lacking=lacking), seed=s), own) for s in range(3)]
    score = row_named(board_of(found), "XPE").scores["unseen"]
    y = correct(found, UNSEEN)
    by_language = np.nanmean(y, axis=(0, 2))
    counts = (~np.isnan(y[0])).sum(axis=1)
    deviations = np.nan_to_num(y - by_language[:, None])
    x = by_language.mean() + len(ITEMS) * (deviations / (len(UNSEEN) * counts[:, None])).sum(axis=1)
    assert score.value == pytest.approx(by_language.mean(), abs=1e-12)
    assert score.two_way is not None
    assert (score.two_way.low, score.two_way.high) == pytest.approx(two_way_by_hand(x), abs=1e-12)


def test_by_language_is_the_mean_over_seeds_and_items() -> None:
    found = runs(0.7, 3)
    means = row_named(board_of(found), "XPE").by_language
    assert means == pytest.approx(dict(zip(UNSEEN, correct(found, UNSEEN).mean(axis=(0, 2)), strict=True)))


def test_ranks_and_letters_follow_from_every_pair_after_correction() -> None:
    methods = {f"m{k}": runs(share, 5, label=f"m{k}") for k, share in enumerate((0.9, 0.85, 0.6, 0.55, 0.3))}
    board = board_of([run for found in methods.values() for run in found])
    xs = {label: correct(found, UNSEEN).mean(axis=1) for label, found in methods.items()}
    pairs, labels = list(combinations(xs, 2)), list(xs)
    adjusted = pairwise(list(xs.values())).adjusted_p
    better = {
        (one, other) if xs[one].mean() > xs[other].mean() else (other, one)
        for one, other in pairs
        if adjusted[labels.index(one), labels.index(other)] <= 0.05
    }
    assert 0 < len(better) < len(pairs)
    scores = {row.label: row.scores["unseen"] for row in only(board).rows}
    for label, score in scores.items():
        assert score.rank == 1 + sum(loser == label for _, loser in better)
        assert score.worst_rank == len(xs) - sum(winner == label for winner, _ in better)
    for one, other in pairs:
        shared = set(scores[one].letters) & set(scores[other].letters)
        assert bool(shared) == ((one, other) not in better and (other, one) not in better)


def test_a_reference_is_compared_by_holm_over_the_rows_against_it() -> None:
    methods = {label: runs(share, 4, label=label) for label, share in (("a", 0.8), ("b", 0.6), ("c", 0.5))}
    board = board_of([run for found in methods.values() for run in found], reference="b")
    xs = {label: correct(found, UNSEEN).mean(axis=1) for label, found in methods.items()}
    tests = {label: compare(xs[label], xs["b"], further_rows=[xs[other]]) for label, other in (("a", "c"), ("c", "a"))}
    adjusted = dict(zip(tests, holm_by_hand([float(test.p or 0) for test in tests.values()]), strict=True))
    assert row_named(board, "b").scores["unseen"].against is None
    for label, test in tests.items():
        difference = xs[label].mean() - xs["b"].mean()
        found = row_named(board, label).scores["unseen"].against
        assert found is not None
        assert found.reference == "b, sources seen"
        assert (found.bounds.low, found.bounds.high) == pytest.approx((test.low, test.high))
        assert (found.difference, found.p) == pytest.approx((difference, adjusted[label]))
        assert found.verdict == ("tie" if adjusted[label] > 0.05 else "better" if difference > 0 else "worse")


def test_a_reference_with_several_sources_stands_for_each() -> None:
    found = []
    for sources in (CODES[:1], CODES[:2]):
        name = {"sources": sources, "sources_label": str(len(sources))}
        found += runs(0.6, label="SPT", **name) + runs(0.8, label="XPE", **name)
    board = board_of(found, reference="spt")
    against = {row.sources: row.scores["unseen"].against for row in only(board).rows if row.label == "XPE"}
    assert {sources: one and one.reference for sources, one in against.items()} == {
        "1": "SPT, sources 1",
        "2": "SPT, sources 2",
    }


def test_a_reference_of_which_one_source_has_two_rows_is_refused() -> None:
    found = []
    for sources, steps in ((CODES[:1], "1"), (CODES[:2], "1"), (CODES[:2], "2")):
        told = {"sources": sources, "sources_label": str(len(sources)), "hyperparameters": {"x": steps}}
        found += runs(0.6, label="SPT", **told)
    with pytest.raises(ConfigError, match="several rows with the same sources"):
        board_of(found, reference="spt")


def some_languages(label: str, codes: tuple[str, ...]) -> list[Run]:
    """Three runs that predict these languages alone."""
    found = [answers(0.6, seed=seed, codes=codes) for seed in range(3)]
    return [(run_of(own, label=label, seed=seed, targets=codes), own) for seed, own in enumerate(found)]


def test_ranks_are_on_the_languages_that_all_ranked_rows_have() -> None:
    part = [
        (run_of(own := answers(0.6, seed=s, codes=CODES[2:5]), label="part", seed=s, targets=CODES[2:5]), own)
        for s in range(3)
    ]
    whole = runs(0.7)
    board = board_of([*whole, *part])
    assert only(board).ranked_on["unseen"] == CODES[2:5]
    lacks, has = row_named(board, "part").scores["unseen"], row_named(board, "XPE").scores["unseen"]
    assert (lacks.missing, lacks.languages, has.missing) == ((CODES[5],), 3, ())
    assert has.ranked_value == pytest.approx(correct(whole, CODES[2:5]).mean())
    assert has.value == pytest.approx(correct(whole, UNSEEN).mean())


def test_a_row_with_a_few_languages_does_not_take_them_from_the_others() -> None:
    one = [
        (run_of(own := answers(0.6, seed=s, codes=CODES[2:3]), label="one", seed=s, targets=CODES[2:3]), own)
        for s in range(3)
    ]
    board = board_of([*runs(0.7), *runs(0.5, label="SPT"), *one])
    assert only(board).ranked_on["unseen"] == UNSEEN
    score = row_named(board, "one").scores["unseen"]
    assert (score.rank, score.letters) == (None, "")
    assert score.note is not None
    assert "not ranked: has 1 of the group's 4 languages" in score.note


def test_a_single_row_has_no_rank() -> None:
    score = row_named(board_of(runs()), "XPE").scores["unseen"]
    assert (score.rank, score.letters) == (None, "")


def test_rows_are_in_order_of_the_group_that_most_rows_have() -> None:
    low = GROUPS["low-performing"]
    early = run_of(own := answers(0.9, codes=low), label="early", groups={"low-performing": low}, targets=low)
    board = board_of([(early, own), *runs(0.5, label="low"), *runs(0.8, label="high")])
    assert only(board).sorted_by == "low-performing"
    assert [row.label for row in only(board).rows] == ["early", "high", "low"]


def test_no_row_is_scored_where_it_was_fitted() -> None:
    inside = runs(0.9, label="inside", sources=CODES[3:5])
    board = board_of([*runs(0.7), *inside])
    assert set(row_named(board, "inside").scores) == set()
    in_language = {"sources (in-language)": CODES[3:5]}
    board = board_of([*runs(0.7), *runs(0.9, label="inside", sources=CODES[3:5], groups=in_language)])
    assert set(row_named(board, "inside").scores) == {"sources (in-language)"}
    assert set(row_named(board, "XPE").scores) >= {"unseen", "low-performing"}


def test_one_name_for_several_sets_of_languages_is_told_apart() -> None:
    one = runs(0.7, sources=CODES[3:4], sources_label="ddd", groups={"sources (in-language)": CODES[3:4]})
    two = runs(0.7, sources=CODES[4:5], sources_label="eee", groups={"sources (in-language)": CODES[4:5]})
    section = only(board_of([*one, *two]))
    assert section.groups == {
        "ddd (in-language)": CODES[3:4],
        "eee (in-language)": CODES[4:5],
    }
    assert [len(row.scores) for row in section.rows] == [1, 1]


def test_chance_is_the_share_of_the_most_frequent_class() -> None:
    board = board_of([*runs(0.95), *floor(0.5)])
    assert set(board.chance.values()) == {0.5}
    assert row_named(board, "majority").scores["unseen"].at_chance
    assert not row_named(board, "XPE").scores["unseen"].at_chance


@pytest.mark.parametrize("part", ["task_hash"])
def test_other_data_is_another_board(part: str) -> None:
    with pytest.raises(ValueError, match="a board is of one task"):
        board_of([*runs(), *runs(label="SPT", **{part: "other"})])


@pytest.mark.parametrize(
    "change",
    [{"backbone_hash": "other"}, {"protocol": "full"}, {"setting": "linear probe"}],
    ids=lambda one: next(iter(one)),
)
def test_another_setting_is_another_section(change: dict[str, str]) -> None:
    board = board_of([*runs(), *runs(0.8, label="SPT", **change)])
    assert [len(section.rows) for section in board.sections] == [1, 1]
    assert all(row.scores["unseen"].rank is None for section in board.sections for row in section.rows)


def test_floors_stand_in_every_section_of_their_protocol_under_keys_of_their_own() -> None:
    board = board_of([*runs(), *runs(label="SPT", backbone="wide", backbone_hash="other"), *floor()])
    assert [[row.label for row in section.rows] for section in board.sections] == [
        ["XPE", "majority"],
        ["SPT", "majority"],
    ]
    keys = [row.key for section in board.sections for row in section.rows]
    assert len(set(keys)) == len(keys)


def test_floors_alone_have_a_section() -> None:
    assert only(board_of(floor())).title == "Cross-lingual zero-shot, no backbone"


def test_full_protocol_puts_the_runs_of_a_seed_together() -> None:
    found = []
    for code in UNSEEN:
        for seed in range(2):
            own = answers(0.6, seed=seed, codes=(code,))
            found.append((run_of(own, seed=seed, protocol="full", targets=(code,)), own))
    score = row_named(board_of(found), "XPE").scores["unseen"]
    assert (score.seeds, score.languages) == (2, 4)
    assert score.value == pytest.approx(np.mean([(own.gold == own.predicted).mean() for _, own in found]))


def test_failed_seeds_are_counted_and_a_row_of_failures_comes_last() -> None:
    failed = [run_of(None, seed=7), run_of(None, label="broken")]
    board = board_of(runs(), failed)
    assert [(row.label, row.seeds, row.failed_seeds) for row in only(board).rows] == [
        ("XPE", (0, 1, 2), (7,)),
        ("broken", (), (0,)),
    ]


def test_rows_that_would_read_alike_get_digits_of_their_configuration() -> None:
    labels = [row.label for row in only(board_of([*runs(), *runs(0.5, hyperparameters={"x": 1})])).rows]
    assert len(set(labels)) == 2
    assert all(label.startswith("XPE #") for label in labels)


def test_few_seeds_are_told_of_the_interval_that_is_shown() -> None:
    def note(seeds: int, **options: object) -> str | None:
        return row_named(board_of(runs(seeds=seeds), **options), "XPE").scores["unseen"].note

    assert note(2) is None
    assert note(3) is None
    assert note(3, interval="bootstrap") == note(3, bootstrap=True) == "bootstrap from 3 seeds: too narrow"
    assert note(10, bootstrap=True) is None
    assert note(2, interval="seeds") is None


def test_one_run_says_so() -> None:
    assert row_named(board_of(runs(seeds=1)), "XPE").scores["unseen"].note == "one run"


def test_seeds_only_intervals_and_the_verdicts_that_so_few_seeds_cannot_give() -> None:
    board = board_of([*runs(0.9, 3), *runs(0.4, 3, label="SPT")], interval="seeds")
    score = row_named(board, "XPE").scores["unseen"]
    means = correct(runs(0.9, 3), UNSEEN).mean(axis=(1, 2))
    assert score.seeds_only is not None
    assert (score.seeds_only.low, score.seeds_only.high) == pytest.approx(
        scipy_stats.t.interval(0.95, 2, means.mean(), scipy_stats.sem(means))
    )
    assert score.rank == 1  # 2 / C(6, 3) = 0.1 could never have been below 0.05: a tie
    assert score.letters == row_named(board, "SPT").scores["unseen"].letters == "a"
    board = board_of([*runs(0.9, 5), *runs(0.4, 5, label="SPT")], interval="seeds")
    assert row_named(board, "SPT").scores["unseen"].rank == 2


def test_the_bootstrap_shares_one_draw_of_items_and_follows_from_the_answers() -> None:
    found = [*runs(0.8, 5), *runs(0.4, 5, label="SPT")]
    both = board_of(found, bootstrap=True)
    again = board_of(found[::-1], bootstrap=True)
    alone = board_of(found[:5], bootstrap=True)
    bounds = row_named(both, "XPE").scores["unseen"].bootstrap
    assert bounds is not None
    assert (
        bounds
        == row_named(again, "XPE").scores["unseen"].bootstrap
        == row_named(alone, "XPE").scores["unseen"].bootstrap
    )
    x = correct(found[:5], UNSEEN).mean(axis=1)
    assert (bounds.low, bounds.high) == pytest.approx(two_way_by_hand(x), abs=0.03)
    by_bootstrap = board_of(found, interval="bootstrap")
    assert [row.scores["unseen"].rank for row in only(by_bootstrap).rows] == [1, 2]


def test_only_the_strongest_evidence_of_a_system_is_shown() -> None:
    told = {"setting": "zero-shot prompt", "method": "gpt", "sources": ()}
    per_item = runs(0.6, 1, label="GPT", **told)
    weak = run_of(answers(0.9), label="GPT (as printed)", evidence="per_language", hyperparameters={"x": 1}, **told)
    other = run_of(answers(0.9), label="other", evidence="per_language", **(told | {"method": "other"}))
    section = only(board_of(per_item, [weak, other]))
    assert {row.label for row in section.rows} == {"GPT", "other"}
    score = row_named(board_of(per_item, [weak, other]), "other").scores["unseen"]
    assert (score.two_way, score.rank, score.items) == (None, None, 0)
    assert score.note == "point value: no interval, no test"
    assert score.value == pytest.approx(np.mean(list(answers(0.9).accuracy().values())))
