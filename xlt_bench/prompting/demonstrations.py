"""Demonstrations: labelled source examples in a prompt, drawn by the seed, each class as often as the others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from xlt_bench.errors import ConfigError
from xlt_bench.task import Example, Labelled

Demonstration = tuple[Example, int]
"""A source example and its class."""


def draw(train: Labelled, count: int, seed: int) -> tuple[Demonstration, ...]:
    """So many examples of a train split in random order; classes differ in number by one at most.

    More demonstrations of the same seed begin with the same examples, in another order.

    Raises:
        ConfigError: the split has fewer examples.
    """
    if count > len(train):
        raise ConfigError(f"--set demonstrations={count}: the sources have {len(train)} train examples; take fewer")
    random = np.random.default_rng([seed, 0])
    chosen = list(islice(_by_class_in_turn(train, random), count))
    order = np.random.default_rng([seed, 1]).permutation(count)
    return tuple((train.examples[chosen[i]], int(train.gold[chosen[i]])) for i in order)


def _by_class_in_turn(train: Labelled, random: np.random.Generator) -> Iterator[int]:
    """Positions of all examples: one of each class, then a second of each, as long as there are any."""
    classes = random.permutation(np.unique(train.gold))
    positions = [random.permutation(np.flatnonzero(train.gold == label)) for label in classes]
    for turn in range(max(map(len, positions), default=0)):
        yield from (int(of_class[turn]) for of_class in positions if turn < len(of_class))
