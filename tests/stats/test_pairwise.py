"""All pairs at once are the pairs one by one."""

from __future__ import annotations

import numpy as np
import pytest

from xlt_bench.stats import compare, pairwise


def methods() -> list[np.ndarray]:
    """Other numbers of seeds, one run, the same method twice, and one without variance."""
    rng = np.random.default_rng(3)
    item = rng.normal(size=30)
    made = [0.5 + 0.1 * k + item + rng.normal(size=(seeds, 30)) for k, seeds in enumerate((5, 3, 1, 10, 1))]
    return [*made, made[0], np.ones((3, 30)), np.ones((2, 30)), np.zeros((4, 30))]


@pytest.mark.parametrize("method", ["two-way", "seeds"])
def test_every_pair(method: str) -> None:
    xs = methods()
    differences, p = pairwise(xs, method)  # type: ignore[arg-type]
    assert np.array_equal(p, p.T, equal_nan=True)
    for i, a in enumerate(xs):
        for j, b in enumerate(xs):
            if i == j:
                assert np.isnan(p[i, j])
                continue
            assert differences[i, j] == pytest.approx(a.mean() - b.mean(), abs=1e-12)
            if method == "seeds" and min(len(a), len(b)) < 2:
                assert np.isnan(p[i, j])
                continue
            expected = compare(a, b, method).p  # type: ignore[arg-type]
            assert p[i, j] == pytest.approx(np.nan if expected is None else expected, abs=1e-12, nan_ok=True)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="must have the same items"):
        pairwise([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="methods must be at least 1"):
        pairwise([])
    with pytest.raises(ValueError, match="two-way, seeds"):
        pairwise([np.ones((2, 3))], "bootstrap")  # type: ignore[arg-type]
