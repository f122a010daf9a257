"""Which interval can be trusted? Simulated experiments with known truth: `python -m benchmarks.coverage`.

Prints, for 204 shared items, how often nominal 95% intervals hold the truth, and how often equal methods are found to
differ at 5%: with the two-way interval (the default), the crossed bootstrap, seeds only, and with naive pooling, which
takes every answer of every seed for an independent observation.
"""

import argparse
import resource
import time
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from xlt_bench.stats import (
    MeanVariance,
    percentile_bounds,
    percentile_p,
    reduce,
    resampled_means,
    seeds_only,
    seeds_only_difference,
    two_way,
    two_way_difference,
)
from xlt_bench.stats.simulation import answers_with_gaps, equal_methods, normal_scores
from xlt_bench.stats.student import half_width, two_sided_p

Array = NDArray[np.float64]

ITEMS, LEVEL = 204, 0.95
SEEDS, RATIOS, INTERACTIONS = (3, 5, 10), (0.0, 0.2, 1.0, 3.0), (0.25, 2.0)
METHODS = ("two-way", "bootstrap", "seeds", "pooled")
DRAWS_AT_ONCE = 500


def pooled(x: Array) -> MeanVariance:
    """The mean of (draws, seeds, items), all cells taken for independent."""
    size = x.shape[-1] * x.shape[-2]
    variance = x.var(axis=(-2, -1), ddof=1) / size
    return MeanVariance(x.mean(axis=(-2, -1)), variance, np.full_like(variance, size - 1))


def held(x: Array, truth: float, resamples: int) -> Array:
    """(methods, draws): whether each interval holds the truth."""
    means = [two_way(x), seeds_only(x), pooled(x)]
    by_t = [np.abs(mean.estimate - truth) <= half_width(mean.variance, mean.df, LEVEL) for mean in means]
    low, high = percentile_bounds(resampled_means([x], key=0, resamples=resamples)[0], LEVEL)
    return np.array([by_t[0], (low <= truth) & (truth <= high), *by_t[1:]], dtype=np.float64)


def found(a: Array, b: Array, resamples: int) -> Array:
    """(methods, draws): whether each test finds `a` and `b` to differ; pooling takes each pair of cells for one."""
    means = [two_way_difference(a, b), seeds_only_difference(a, b), pooled(a - b)]
    by_t = [two_sided_p(mean.estimate, mean.variance, mean.df) <= 1 - LEVEL for mean in means]
    of_a, of_b = resampled_means([a, b], key=0, resamples=resamples)
    return np.array([by_t[0], percentile_p(of_a - of_b) <= 1 - LEVEL, *by_t[1:]], dtype=np.float64)


@dataclass(frozen=True)
class Case:
    """One row: `ratio` is the true V_seed / V_item; `interaction` is None for answers with gaps."""

    seeds: int
    ratio: float
    interaction: float | None

    def one_method(self, rng: np.random.Generator, draws: int) -> tuple[Array, float]:
        """Reduced scores (draws, seeds, items) and their true mean."""
        if self.interaction is not None:
            return normal_scores(rng, draws, self.seeds, ITEMS, self.ratio, self.interaction), 0.0
        y, truth = answers_with_gaps(rng, draws, self.seeds, ITEMS, self.ratio)
        return reduced(y), truth

    def equal_methods(self, rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        """Two methods with the same true mean; with gaps, two sets of seeds of one method, reduced apart."""
        if self.interaction is not None:
            return equal_methods(rng, draws, (self.seeds, self.seeds), ITEMS, self.ratio, self.interaction)
        y, _ = answers_with_gaps(rng, draws, 2 * self.seeds, ITEMS, self.ratio / 2)
        return reduced(y[:, : self.seeds]), reduced(y[:, self.seeds :])

    def measured(self, draws: int, resamples: int) -> tuple[Array, Array]:
        """Shares of intervals that hold the truth, and of tests that find equal methods to differ: (methods,) each."""
        intervals, tests = [], []
        for part in range(draws // DRAWS_AT_ONCE):
            rng = np.random.default_rng([self.seeds, int(10 * self.ratio), int(100 * (self.interaction or 0)), part])
            intervals.append(held(*self.one_method(rng, DRAWS_AT_ONCE), resamples))
            tests.append(found(*self.equal_methods(rng, DRAWS_AT_ONCE), resamples))
        return np.concatenate(intervals, axis=1).mean(axis=1), np.concatenate(tests, axis=1).mean(axis=1)


def reduced(y: Array) -> Array:
    """`reduce` for each draw."""
    return np.stack([reduce(one) for one in y])


def board(methods: int = 20, groups: int = 8, seeds: int = 10, resamples: int = 10_000) -> str:
    """Time and memory of the bootstrap for a whole leaderboard."""
    rng = np.random.default_rng(0)
    xs = [rng.random((groups, seeds, ITEMS)) for _ in range(methods)]
    start = time.perf_counter()
    for means in resampled_means(xs, key=b"board", resamples=resamples):
        percentile_bounds(means, LEVEL)
    seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"Bootstrap with intervals, {methods} methods x {groups} groups x {seeds} seeds x {ITEMS} items, "
        f"{resamples} resamples: {seconds:.2f} s, peak memory of the process {peak:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4000, help="simulated experiments for each row")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples for each experiment")
    options = parser.parse_args()
    draws = DRAWS_AT_ONCE * max(1, options.draws // DRAWS_AT_ONCE)
    print(board())
    print(f"\n{ITEMS} items, {draws} draws a row, nominal {LEVEL:.0%}. V_seed/V_item: true ratio; interaction: its")
    print(
        "variance in units of the items', or gaps: right and wrong answers in 6 languages, 3 of them without a third of"
    )
    print("the items (there the equal methods differ by chance alone, not by what items they find hard).\n")
    print(f"{'':28}{'intervals that hold the truth, %':^40}  {'equal methods found to differ, %':^40}")
    names = "".join(f"{name:>10}" for name in METHODS)
    print(f"{'seeds  V_seed/V_item  inter.':28}{names}  {names}")
    grid = [Case(*case) for case in product(SEEDS, RATIOS, INTERACTIONS)]
    for case in [*grid, *(Case(seeds, ratio, None) for seeds, ratio in product(SEEDS, RATIOS))]:
        shares = [
            "".join(f"{100 * share:>10.1f}" for share in each) for each in case.measured(draws, options.resamples)
        ]
        size = "gaps" if case.interaction is None else f"{case.interaction:g}"
        print(f"{case.seeds:>5}  {case.ratio:>13g}  {size:>6}{shares[0]}  {shares[1]}", flush=True)


if __name__ == "__main__":
    main()
