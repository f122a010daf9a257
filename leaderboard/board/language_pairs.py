"""Tests of every pair of a section's best rows in each single language.

A pair is tested in a language as the board tests pairs on a group: all rows of the table say how much seeds vary. Its
p-values are then corrected over the languages of the pair (Benjamini-Hochberg), as `xlt-bench compare` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from xlt_bench.leaderboard.board.detail import LanguagePairs
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.pairs import least_p
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.metrics.base import Values
from xlt_bench.stats import benjamini_hochberg, pair_p_values

MOST_ROWS = 24
"""Whose 276 pairs fit a page of 1 MB with 205 languages."""


def language_pairs(entries: Sequence[Entry], reductions: Reductions, options: Options) -> LanguagePairs | None:
    """The tests of the best rows that have answers to single items; None where there are not two such rows.

    A language that a row was fitted on is no transfer, and in no pair of that row.

    Args:
        entries: the section's rows, best first.
    """
    rows = [position for position, entry in enumerate(entries) if entry.answers is not None][:MOST_ROWS]
    if len(rows) < 2:
        return None
    tested = [entries[position] for position in rows]
    codes = sorted({code for entry in tested for code in entry.languages(reductions.metric)})
    p = np.stack([_p_in(code, tested, reductions, options) for code in codes])
    q = np.stack([benjamini_hochberg(of_pair) for of_pair in p.T], axis=1)
    return LanguagePairs(
        rows=tuple(rows),
        q={
            code: tuple(None if np.isnan(value) else float(value) for value in values)
            for code, values in zip(codes, q, strict=True)
            if np.isfinite(values).any()
        },
    )


def _p_in(code: str, entries: Sequence[Entry], reductions: Reductions, options: Options) -> Values:
    """(pairs,) p of each pair of entries in one language; NaN without a test."""
    result = np.full(comb(len(entries), 2), np.nan)
    members = [
        position
        for position, entry in enumerate(entries)
        if code in entry.languages(reductions.metric) and code not in entry.first.cell.sources
    ]
    if len(members) < 2:
        return result
    xs = [reductions.of(entries[position], (code,)).x for position in members]
    if xs[0].shape[1] < 2:
        return result
    stored = [entries[position].is_stored for position in members]
    by_seeds = options.interval == "seeds"  # the bootstrap, for each language and pair, would be slow
    p = pair_p_values(xs, "seeds" if by_seeds else "two-way", deterministic=stored)
    if by_seeds:  # no verdict that the exact test across seeds could never have reached
        p[[least_p(len(a), len(b)) > options.alpha for a, b in combinations(xs, 2)]] = np.nan
    numbers = {pair: number for number, pair in enumerate(combinations(range(len(entries)), 2))}
    result[[numbers[pair] for pair in combinations(members, 2)]] = p
    return result
