"""The crossed bootstrap against its own complete enumeration, and its promises on draws, speed and memory."""

import subprocess
import sys
from itertools import product

import numpy as np
import pytest

from xlt_bench.stats import percentile_bounds, percentile_p, resampled_means

SPEED = """
import time
import numpy as np
from xlt_bench.stats import resampled_means, percentile_bounds
xs = [np.random.default_rng(m).random((8, 10, 204)) for m in range(20)]
start = time.perf_counter()
for means in resampled_means(xs, key=b"records", resamples=10_000):
    assert means.shape == (8, 10_000)
    percentile_bounds(means, 0.95)
seconds = time.perf_counter() - start
# not getrusage: its maximum includes what the process held that started this one
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) / 1024)
"""


def test_resamples_follow_the_distribution_of_all_resamples() -> None:
    x = np.random.default_rng(0).random((2, 3))
    mean = x.mean(axis=0)
    inflated = mean + np.sqrt(2) * (x - mean)
    every = [inflated[np.ix_(s, i)].mean() for s in product(range(2), repeat=2) for i in product(range(3), repeat=3)]
    (resampled,) = resampled_means([x], key=1, resamples=40_000)
    values, counts = np.unique(np.round(every, 9), return_counts=True)
    seen, seen_counts = np.unique(np.round(resampled, 9), return_counts=True)
    np.testing.assert_allclose(seen, values)
    np.testing.assert_allclose(seen_counts / 40_000, counts / len(every), atol=0.01)


def test_variance_is_that_of_seeds_items_and_interaction() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((5, 60)) + 0.3 * rng.standard_normal((5, 1)) + rng.standard_normal((1, 60))
    rows, columns, grand = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True), x.mean()
    between_seeds = rows.var(ddof=1) / 5
    between_items = columns.var() / 60
    interaction = (x - rows - columns + grand).var() * 5 / 4 / x.size
    (resampled,) = resampled_means([x], key=2, resamples=40_000)
    assert resampled.var() == pytest.approx(between_seeds + between_items + interaction, rel=0.03)
    assert resampled.mean() == pytest.approx(grand, abs=0.005)


def test_one_run_varies_by_items_alone() -> None:
    x = np.random.default_rng(2).random((1, 80))
    (resampled,) = resampled_means([x], key=0, resamples=40_000)
    assert resampled.var() == pytest.approx(x.var() / 80, rel=0.03)


def test_items_are_drawn_together_and_seeds_apart() -> None:
    items = np.random.default_rng(3).random((1, 30))
    a, b = resampled_means([np.repeat(items, 4, axis=0), np.repeat(items, 6, axis=0)], key=5, resamples=500)
    np.testing.assert_allclose(a, b)
    seeds = np.repeat(np.random.default_rng(4).random((4, 1)), 30, axis=1)
    a, b = resampled_means([seeds, seeds], key=5, resamples=4000)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    a, b = resampled_means([seeds, seeds], key=5, resamples=500, seed_keys=[b"same", b"same"])
    np.testing.assert_array_equal(a, b)


def test_leading_axes_are_groups_of_one_method() -> None:
    x = np.random.default_rng(5).random((3, 2, 4, 20))
    (together,) = resampled_means([x], key=9, resamples=300)
    (alone,) = resampled_means([x[2, 1]], key=9, resamples=300)
    np.testing.assert_allclose(together[2, 1], alone)


def test_draws_follow_from_the_keys_alone() -> None:
    a, b = np.random.default_rng(6).random((2, 4, 20))

    def draw(xs: list[np.ndarray], key: int | bytes, seed_keys: list[bytes] | None = None) -> np.ndarray:
        return resampled_means(xs, key=key, resamples=200, seed_keys=seed_keys)[-1]

    np.testing.assert_array_equal(draw([a], b"k"), draw([a], b"k"))
    assert not np.allclose(draw([a], b"k"), draw([a], b"other"))
    assert not np.allclose(draw([a], 1), draw([a], 2))
    np.testing.assert_array_equal(draw([a], b"k", [b"a"]), draw([b, a], b"k", [b"b", b"a"]))
    with pytest.raises(ValueError, match="1 methods need as many seed keys, got 2"):
        draw([a], b"k", [b"a", b"b"])


def test_resampling_in_parts_gives_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(8).random((2, 4, 20))
    (whole,) = resampled_means([x], key=9, resamples=101)
    monkeypatch.setattr("xlt_bench.stats.bootstrap._PRODUCTS_AT_ONCE", 80)
    np.testing.assert_allclose(resampled_means([x], key=9, resamples=101)[0], whole)


def test_percentiles_and_p() -> None:
    resampled = np.arange(1.0, 100.0)
    assert percentile_bounds(resampled, 0.9) == pytest.approx((5.9, 94.1))
    assert float(percentile_p(resampled)) == pytest.approx(2 * 1 / 100)
    assert float(percentile_p(resampled, 200.0)) == pytest.approx(2 * 1 / 100)
    assert float(percentile_p(resampled, 10.0)) == pytest.approx(2 * 11 / 100)
    assert float(percentile_p(resampled, 50.0)) == 1.0


def test_differing_items_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"same items, got \[20, 19\]"):
        resampled_means([np.ones((2, 20)), np.ones((2, 19))], key=0)


def test_importing_the_statistics_is_light() -> None:
    code = "import sys, xlt_bench.stats; print(sorted({'torch', 'scipy.stats', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_whole_board_takes_less_than_two_seconds_and_500_mb() -> None:
    done = subprocess.run([sys.executable, "-c", SPEED], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 2
    assert megabytes < 500
