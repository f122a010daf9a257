"""The difference of two rows where languages, too, are taken as drawn at random, family by family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xlt_bench.leaderboard.board.model import Bounds
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.stats import percentile_bounds, percentile_p, resampled_over_languages

_RESAMPLES = 4_000


@dataclass(frozen=True)
class DifferenceOverLanguages:
    """Bounds of A less B, and p of no difference."""

    bounds: Bounds
    p: float


def difference_over_languages(
    a: Entry,
    b: Entry,
    languages: tuple[str, ...],
    families: Mapping[str, str],
    reductions: Reductions,
    *,
    level: float,
    paired_seeds: bool,
    key: bytes,
) -> DifferenceOverLanguages | None:
    """The difference on these languages; None where all are of one family, or all items are one cluster.

    Args:
        families: language code -> family; a language of unknown family is one of its own.
        paired_seeds: seed k of A and of B belong together.
        key: what the draws follow from.
    """
    of_languages = [families.get(code) or code for code in languages]
    occurring, clusters = reductions.clusters_in(a, languages)
    if len(set(of_languages)) < 2 or len(set(clusters)) < 2:
        return None
    of_a, of_b = (reductions.values(entry, languages)[:, :, occurring] for entry in (a, b))
    rows = [of_a - of_b] if paired_seeds else [of_a, of_b]
    draws = resampled_over_languages(rows, of_languages, clusters=clusters, key=key, resamples=_RESAMPLES)
    difference = draws[0] if paired_seeds else draws[0] - draws[1]
    low, high = percentile_bounds(difference, level)
    p = 1.0 if np.ptp(difference) == 0 else float(percentile_p(difference))
    return DifferenceOverLanguages(Bounds(float(low), float(high)), p)
