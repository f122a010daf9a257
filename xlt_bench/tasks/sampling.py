"""Subsets that keep the shares of languages and classes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from xlt_bench.task import Labelled


def stratified(part: Labelled, limit: int | None, seed: int = 0) -> Labelled:
    """At most `limit` items, evenly over language and class; the same items whoever asks, for one seed.

    Every stratum's items are laid out evenly over the unit interval and the first `limit` are taken, so that each
    stratum gives the same share up to one item, and a smaller subset is part of every larger one.
    """
    if limit is None or len(part) <= limit:
        return part
    strata: dict[tuple[str, int], list[int]] = defaultdict(list)
    for position, (example, gold) in enumerate(zip(part.examples, part.gold, strict=True)):
        strata[example.language, int(gold)].append(position)
    random = np.random.default_rng(seed)
    place = np.zeros(len(part))
    for members in strata.values():
        place[members] = (random.permutation(len(members)) + random.random()) / len(members)
    return part.take(np.sort(np.argsort(place, kind="stable")[:limit]))
