"""Ranks, their intervals and the letters of ties."""

import numpy as np
import pytest
from scipy import stats

from xlt_bench.stats import holm, holm_pairs, rank_intervals, rank_methods, ranks, tie_letters


def test_rank_counts_the_methods_significantly_better_after_holm() -> None:
    means = np.array([0.5, 0.9, 0.7, 0.65])
    p = np.array([[1, 0.0001, 0.004, 0.03], [0, 1, 0.02, 0.001], [0, 0, 1, 0.6], [0, 0, 0, 1.0]])
    p = np.triu(p, 1) + np.triu(p, 1).T
    ranking = rank_methods(means[:, None] - means, holm_pairs(p))
    adjusted = holm(p[np.triu_indices(4, 1)])
    np.testing.assert_allclose(holm_pairs(p)[np.triu_indices(4, 1)], adjusted)
    np.testing.assert_allclose(holm_pairs(p).T[np.triu_indices(4, 1)], adjusted)
    assert (adjusted <= 0.05).tolist() == [True, True, False, False, True, False], "0.03 and 0.02 fail after Holm"
    assert ranking.rank.tolist() == [3, 1, 1, 2]
    assert ranking.worst.tolist() == [4, 2, 3, 4]
    assert ranking.letters == ("c", "a", "ab", "bc")


def test_pairs_without_a_test_are_ties() -> None:
    gaps = np.array([[0, 0.5], [-0.5, 0]])
    ranking = rank_methods(gaps, np.full((2, 2), np.nan))
    assert (ranking.rank.tolist(), ranking.worst.tolist(), ranking.letters) == ([1, 1], [2, 2], ("a", "a"))


@pytest.mark.parametrize("seed", range(30))
def test_two_methods_share_a_letter_exactly_when_neither_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random(8)
    better = (scores[:, None] > scores) & (rng.random((8, 8)) < rng.random())
    letters = tie_letters(better, scores)
    for i in range(8):
        for j in range(8):
            tied = not (better[i, j] or better[j, i])
            assert bool(set(letters[i]) & set(letters[j])) == tied, (letters, i, j)
    columns = [frozenset(m for m in range(8) if letter in letters[m]) for letter in sorted(set("".join(letters)))]
    assert not any(one < other for one in columns for other in columns), "a letter inside another says nothing"
    assert "a" in letters[int(scores.argmax())]


def test_letters_go_on_past_the_alphabet() -> None:
    scores = -np.arange(60.0)
    letters = tie_letters(scores[:, None] > scores, scores)
    assert len(set(letters)) == 60
    assert (letters[0], letters[26], letters[52]) == ("a", "A", "a'")


def test_ranks_are_scipys_average_ranks() -> None:
    values = np.random.default_rng(0).integers(0, 4, (6, 5, 7))
    np.testing.assert_allclose(ranks(values), stats.rankdata(-values, axis=0))
    np.testing.assert_allclose(ranks([0.2, 0.9, 0.2]), [2.5, 1.0, 2.5])


def test_rank_intervals_are_quantiles_of_ranks() -> None:
    resampled = np.vstack([np.full(100, 2.0), np.where(np.arange(100) < 10, 3.0, 1.0), np.zeros(100)])
    low, high = rank_intervals(resampled, 0.9)
    assert (low.tolist(), high.tolist()) == ([1, 1, 3], [2, 2, 3])
    low, high = rank_intervals(resampled, 0.7)
    assert (low.tolist(), high.tolist()) == ([1, 2, 3], [1, 2, 3])


def test_bad_arguments_are_named() -> None:
    gaps = np.array([[0, 1.0], [-1, 0]])
    p = np.ones((2, 2))
    with pytest.raises(ValueError, match="same square"):
        rank_methods(gaps, np.ones((2, 3)))
    with pytest.raises(ValueError, match="antisymmetric"):
        rank_methods(np.abs(gaps), p)
    with pytest.raises(ValueError, match="symmetric"):
        rank_methods(gaps, [[1, 0.2], [0.3, 1]])
    with pytest.raises(ValueError, match="as large as scores"):
        tie_letters(p > 0, [1.0])
    with pytest.raises(ValueError, match="methods to rank must be at least 2, got 1"):
        rank_intervals([[1.0, 2.0]])
