"""Quantiles of mixtures of t distributions, against their tails."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from xlt_bench.stats.mixture import Mixtures
from xlt_bench.stats.student import squared_t

P = np.array([1.0, 0.9, 0.5, 0.05, 0.005, 1e-4, 1e-9, 1e-20])
MIXTURES = Mixtures(
    weight=np.array([[0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]),
    squared_scale=np.array([[1.0, 4.0, 0.25], [2.0, 3.0, 9.0]]),
    df=np.array([[3.0, 11.0, 45.0], [2.0, 4.0, 9.0]]),
)


def test_as_much_lies_beyond_a_quantile_as_its_p_says() -> None:
    squared = MIXTURES.squared_quantiles(P)
    distance = np.sqrt(squared[:, :, None] / MIXTURES.squared_scale[:, None])
    beyond = (2 * stdtr(MIXTURES.df[:, None], -distance) * MIXTURES.weight[:, None]).sum(axis=-1)
    np.testing.assert_allclose(beyond[:, :6], np.broadcast_to(P[:6], (2, 6)), rtol=2e-4)
    np.testing.assert_allclose(beyond, np.broadcast_to(P, beyond.shape), rtol=1e-2)
    assert (squared[:, 0] == 0).all()


def test_one_distribution_alone_has_its_own_quantiles() -> None:
    np.testing.assert_allclose(MIXTURES.squared_quantiles(P)[1], 9.0 * squared_t(P, 9.0), rtol=2e-3, atol=1e-12)


def test_a_row_does_not_depend_on_the_others_nor_on_what_was_asked_before() -> None:
    first = Mixtures(MIXTURES.weight[:1], MIXTURES.squared_scale[:1], MIXTURES.df[:1])
    alone = first.squared_quantiles(P[:5])
    MIXTURES.squared_quantiles(P)
    assert np.array_equal(MIXTURES.squared_quantiles(P[:5])[:1], alone)
