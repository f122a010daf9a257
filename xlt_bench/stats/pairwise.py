"""Every pair of several methods on the same items: differences, p-values, and p-values corrected for their number.

Two-way, a pair's interval has three parts (see `student`): the luck of each row's seeds, with the quantiles that
`SeedSpread` gives from all rows, and what varies between clusters beside, which has clusters - 1 degrees of freedom:

    D^2 = q_A(p) / S_A + q_B(p) / S_B + (V - V_seedA - V_seedB) t_p^2(C - 1)

solved for p. For the corrected p the same distributions are drawn from jointly, all rows at once (`step_down`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Array, Booleans, Positions, one_of
from .corrections import holm
from .table import Table


@dataclass(frozen=True, slots=True)
class Pairwise:
    """All pairs of M methods.

    Attributes:
        differences: (M, M) mean of the row's method less that of the column's.
        p: (M, M) two-sided p-values of each pair on its own; symmetric, NaN on the diagonal and where there is no test.
        adjusted_p: (M, M) p-values corrected for the number of tested pairs.
        testable: (M,) False for one run of a method whose runs may differ: nothing says how far another run would be.
        tests: how many pairs were tested.
    """

    differences: Array
    p: Array
    adjusted_p: Array
    testable: Booleans
    tests: int


def pairwise(
    xs: Sequence[ArrayLike],
    method: Literal["two-way", "seeds"] = "two-way",
    *,
    deterministic: Sequence[bool] | None = None,
    reference: int | None = None,
) -> Pairwise:
    """Test every pair of methods, or every method against one.

    Args:
        xs: M arrays (seeds, clusters) from `reduce`: the same items in the same order, seeds of each method's own.
        method: "two-way", random over seeds and clusters, with p adjusted by step-down of the largest statistic; or
            "seeds", for these very items, with p adjusted by Holm.
        deterministic: for each method, whether its answers do not depend on a seed: stored answers, a fixed rule. One
            run is then all there is to know, and the inference is for these answers. Several runs that never differ
            count as deterministic in any case.
        reference: position of a method chosen beforehand: only pairs with it are tested.

    Returns:
        Pairwise. Where nothing varies p is 1 for equal means and NaN (no test) for others.

    Raises:
        ValueError: no method, differing items, fewer than two clusters, or a value out of range.
    """
    table = Table.of(xs, deterministic)
    first, second = _pairs(len(xs), reference)
    p = _p_values(table, method, first, second)
    adjusted = table.adjusted_p_values(first, second, p) if method == "two-way" else holm(p)
    return Pairwise(
        table.mean[:, None] - table.mean,
        _square(len(xs), first, second, p),
        _square(len(xs), first, second, adjusted),
        table.testable,
        int(np.isfinite(p).sum()),
    )


def pair_p_values(
    xs: Sequence[ArrayLike],
    method: Literal["two-way", "seeds"] = "two-way",
    *,
    deterministic: Sequence[bool] | None = None,
) -> Array:
    """The p of each pair on its own, without their correction, which takes most of the time of `pairwise`.

    Args:
        xs: as `pairwise` has them, and so are `method`, `deterministic` and the errors.

    Returns:
        (pairs,) p-values of the pairs (0, 1), (0, 2), ..., (1, 2), ...; NaN where there is no test.
    """
    table = Table.of(xs, deterministic)
    return _p_values(table, method, *_pairs(len(xs), None))


def _p_values(table: Table, method: Literal["two-way", "seeds"], first: Positions, second: Positions) -> Array:
    one_of(method, "method", ("two-way", "seeds"))
    return table.p_values(first, second) if method == "two-way" else table.seeds_only_p_values(first, second)


def against_fixed(xs: Sequence[ArrayLike], reference: ArrayLike, deterministic: Sequence[bool]) -> tuple[Array, Array]:
    """Differences and two-sided p (M,) of M methods less one whose answers no seed changes.

    Each as `compare` has the two of them, all at once: no method tells of another how much its seeds vary.

    Args:
        xs, deterministic: as for `pairwise`.
        reference: (1, clusters).

    Raises:
        ValueError: as `pairwise`.
    """
    table = Table.of([*xs, reference], [*deterministic, True], alone=True)
    first, second = np.arange(len(xs)), np.full(len(xs), len(xs))
    return table.mean[first] - table.mean[second], table.p_values(first, second)


def _pairs(methods: int, reference: int | None) -> tuple[Positions, Positions]:
    first, second = np.triu_indices(methods, k=1)
    if reference is None:
        return first, second
    if not 0 <= reference < methods:
        raise ValueError(f"reference must be the position of one of {methods} methods, got {reference}")
    with_reference = (first == reference) | (second == reference)
    return first[with_reference], second[with_reference]


def _square(methods: int, first: Positions, second: Positions, values: Array) -> Array:
    square = np.full((methods, methods), np.nan)
    square[first, second] = square[second, first] = values
    return square
