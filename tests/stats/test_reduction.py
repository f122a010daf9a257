"""`reduce`: the identities that make the balanced formulas hold for unbalanced data."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xlt_bench.stats import occurring, reduce


def unbalanced(seed: int = 0) -> NDArray[np.float64]:
    """(4 seeds, 3 languages, 12 items): language 1 lacks items 0 to 5, language 2 lacks 8 and 11."""
    y = np.random.default_rng(seed).integers(0, 2, (4, 3, 12)).astype(float)
    y[:, 1, :6] = np.nan
    y[:, 2, [8, 11]] = np.nan
    return y


def test_balanced_data_reduce_to_the_mean_over_languages() -> None:
    y = np.random.default_rng(1).random((3, 5, 7))
    np.testing.assert_allclose(reduce(y), y.mean(axis=1), atol=1e-14)


def test_each_row_has_the_mean_of_that_seeds_macro_average() -> None:
    y = unbalanced()
    macro = np.nanmean(y, axis=2).mean(axis=1)
    np.testing.assert_allclose(reduce(y).mean(axis=1), macro, atol=1e-14)
    assert not np.allclose(np.nanmean(y, axis=1).mean(axis=1), macro), "plain averaging must differ here"


def test_every_cell_follows_the_formula() -> None:
    y = unbalanced()
    seeds, languages, items = y.shape
    means = [np.nanmean(y[:, k]) for k in range(languages)]
    counts = [np.isfinite(y[0, k]).sum() for k in range(languages)]
    expected = np.full((seeds, items), np.mean(means))
    for s in range(seeds):
        for i in range(items):
            for k in range(languages):
                if np.isfinite(y[s, k, i]):
                    expected[s, i] += items * (y[s, k, i] - means[k]) / (languages * counts[k])
    np.testing.assert_allclose(reduce(y), expected, atol=1e-14)


def test_items_that_no_language_has_change_nothing() -> None:
    y = unbalanced()
    padded = np.insert(y, [0, 5, 12], np.nan, axis=2)
    np.testing.assert_array_equal(reduce(padded), reduce(y))
    np.testing.assert_array_equal(np.flatnonzero(~occurring(padded)), [0, 6, 14])


def test_a_constant_score_reduces_to_that_constant() -> None:
    y = np.where(np.isnan(unbalanced()), np.nan, 0.3)
    np.testing.assert_allclose(reduce(y), 0.3, atol=1e-14)


def test_other_missing_items_in_one_seed_are_an_error_that_names_language_and_seed() -> None:
    y = unbalanced()
    y[2, 1, 6] = np.nan
    with pytest.raises(ValueError, match="language wol must lack the same items in every seed, but seed 2 differs"):
        reduce(y, ["deu", "wol", "ewe"])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones((2, 3)), r"axes \(seeds, languages, items\), got shape \(2, 3\)"),
        (np.ones((2, 0, 3)), "non-empty"),
        (np.full((2, 1, 3), np.inf), "infinite"),
        (np.full((2, 1, 3), np.nan), "items of language 0 must be at least 1, got 0"),
    ],
)
def test_bad_shapes_and_values_are_named(y: NDArray[np.float64], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reduce(y)


def test_names_must_be_as_many_as_languages() -> None:
    with pytest.raises(ValueError, match="3 languages, but 1 names"):
        reduce(np.ones((2, 3, 4)), ["deu"])


def test_one_language_is_its_answers() -> None:
    y = unbalanced()[:, :1]
    np.testing.assert_allclose(reduce(y), y[:, 0], atol=1e-14)
