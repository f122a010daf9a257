"""Which tests are corrected together, and how many they are.

A table has a family for each target group. That of the primary group, which the task declares beforehand, is
confirmatory; those of other groups are exploratory: each is corrected for its own pairs, but nobody chose it in
advance. Or all groups of the table are one family.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xlt_bench.leaderboard.board.model import FamilyRule
from xlt_bench.leaderboard.board.pairs import PairTests
from xlt_bench.metrics.base import Values
from xlt_bench.stats import holm


def corrected(
    tests: Mapping[str, PairTests], rule: FamilyRule, hidden_rows: int
) -> tuple[dict[str, Values], dict[str, int]]:
    """The corrected p-values (rows, rows) of each group, and how many tests each is corrected for.

    Args:
        tests: by group.
        hidden_rows: rows that are not shown but were tried on these items too: their pairs count, as if no difference
            had been found in them.
    """
    if not tests:
        return {}, {}
    hidden = {group: _hidden_pairs(len(pairs.p), hidden_rows) for group, pairs in tests.items()}
    counts = {group: pairs.count + hidden[group] for group, pairs in tests.items()}
    if rule == "table":
        total = sum(counts.values())
        return _together(tests, sum(hidden.values())), dict.fromkeys(tests, total)
    return {
        group: _together({group: pairs}, hidden[group])[group] if hidden[group] else pairs.adjusted
        for group, pairs in tests.items()
    }, counts


def _hidden_pairs(rows: int, hidden_rows: int) -> int:
    """Pairs of hidden rows with each other and with those shown."""
    return hidden_rows * rows + hidden_rows * (hidden_rows - 1) // 2


def _together(tests: Mapping[str, PairTests], extra_tests: int) -> dict[str, Values]:
    """Holm over all pairs of these groups and further tests."""
    corners = {group: np.triu_indices(len(pairs.p), k=1) for group, pairs in tests.items()}
    p = np.concatenate([pairs.p[corners[group]] for group, pairs in tests.items()])
    ends = np.cumsum([len(corners[group][0]) for group in tests])[:-1]
    parts = np.split(holm(p, extra_tests), ends)
    adjusted = {}
    for (group, pairs), values in zip(tests.items(), parts, strict=True):
        square = np.full_like(pairs.p, np.nan)
        square[corners[group]] = values
        square.T[corners[group]] = values
        adjusted[group] = square
    return adjusted
