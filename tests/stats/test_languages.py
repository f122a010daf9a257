"""The bootstrap over families of languages, against plain loops and known variances."""

import numpy as np
import pytest

from xlt_bench.stats import resampled_means, resampled_over_languages
from xlt_bench.stats.bootstrap import generator, inflation, resample_counts, seed_generators

FAMILIES = ["a", "a", "b", "c", "c", "c"]


def answers(seed: int = 0, seeds: int = 3) -> np.ndarray:
    """(seeds, 6 languages, 20 items), with gaps in two languages."""
    y = (np.random.default_rng(seed).random((seeds, 6, 20)) < 0.6).astype(float)
    y[:, 1, :5] = np.nan
    y[:, 4, 10:14] = np.nan
    return y


def test_it_is_the_bootstrap_written_out() -> None:
    y, resamples = answers(), 30
    labels = [item // 2 for item in range(20)]
    (means,) = resampled_over_languages([y], FAMILIES, clusters=labels, key=b"k", resamples=resamples)
    clusters = resample_counts(generator("items", b"k"), 10, resamples)
    families = resample_counts(generator("families", b"k"), 3, resamples)
    (rng,) = seed_generators(b"k", None, 1)
    drawn_seeds = resample_counts(rng, 3, resamples)
    for r in range(resamples):
        by_seed = np.zeros((3, 6))
        for s in range(3):
            for k in range(6):
                chosen = [y[s, k, i] for i in range(20) for _ in range(int(clusters[labels[i], r]))]
                by_seed[s, k] = np.nanmean(chosen)
        family_of = [0, 0, 1, 2, 2, 2]
        times = np.array([families[family_of[k], r] for k in range(6)])
        language_weight = 1 / 6 + inflation(3) * (times / times.sum() - 1 / 6)
        seed_weight = 1 / 3 + inflation(3) * (drawn_seeds[:, r] / 3 - 1 / 3)
        assert means[r] == pytest.approx(seed_weight @ by_seed @ language_weight)


def test_languages_that_do_not_differ_leave_what_items_and_seeds_give() -> None:
    y = np.repeat((np.random.default_rng(1).random((4, 1, 50)) < 0.6).astype(float), 6, axis=1)
    (over_languages,) = resampled_over_languages([y], FAMILIES, key=3, resamples=500)
    (fixed,) = resampled_means([y.mean(axis=1)], key=3, resamples=500)
    np.testing.assert_allclose(over_languages, fixed)


def test_families_that_differ_widen_the_interval_by_the_variance_between_them() -> None:
    rng = np.random.default_rng(2)
    families = [str(k) for k in range(12) for _ in range(3)]
    of_family = np.repeat(0.2 * rng.standard_normal(12), 3)
    y = np.broadcast_to(0.5 + of_family[None, :, None], (2, 36, 10)).copy()
    (means,) = resampled_over_languages([y], families, key=0, resamples=8000)
    assert means.var() == pytest.approx(of_family[::3].var(ddof=1) / 12, rel=0.05)


def test_two_methods_share_the_draws_of_families_and_items() -> None:
    y = answers(seeds=1)
    a, b = resampled_over_languages([y, y + 0.1], FAMILIES, key=0, resamples=50)
    np.testing.assert_allclose(b - a, 0.1)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="families of languages must be at least 2, got 1"):
        resampled_over_languages([answers()], ["a"] * 6, key=0)
    with pytest.raises(ValueError, match=r"as many languages as families are named \(2\), got shapes \[\(3, 6, 20\)\]"):
        resampled_over_languages([answers()], ["a", "b"], key=0)
    with pytest.raises(ValueError, match="clusters must be at least 2, got 1"):
        resampled_over_languages([answers()], FAMILIES, clusters=["x"] * 20, key=0)
    few = answers()
    few[:, 0, 1:] = np.nan
    with pytest.raises(ValueError, match="each resample must hold items of every language; one language has only 1"):
        resampled_over_languages([few], FAMILIES, key=0, resamples=200)
