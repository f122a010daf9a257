"""The crossed ("pigeonhole") bootstrap: seeds and items are resampled jointly.

Source: Owen (2007), "The pigeonhole bootstrap". Its variance is V_seed + V_item + V_cell in expectation: it errs on the
wide side when seeds and items interact. As every percentile interval it is too narrow with few seeds: five are few.
Items here are clusters of items wherever `reduce` was given clusters.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from .arrays import Array, at_least, inside_unit

Key = int | bytes

FEWEST_SEEDS = 10
_PRODUCTS_AT_ONCE = 1_000_000


def resampled_means(
    xs: Sequence[Array], *, key: Key, resamples: int = 10_000, seed_keys: Sequence[Key] | None = None
) -> list[Array]:
    """Means of several methods over resampled seeds and items; one draw of items is shared by all methods.

    Before resampling, the deviations of seeds from their mean (item by item) are inflated by sqrt(S / (S-1)), without
    which S seeds would show only (S-1)/S of their variance. One seed stays as it is: then items alone vary.

    Args:
        xs: one array (..., seeds, items) for each method: the same items in the same order, seeds of each method's own;
            leading axes (target groups, say) share the method's draw of seeds.
        key: what the draw of items follows from, e.g. a hash of the item ids.
        resamples: number of resamples.
        seed_keys: for each method, what its draw of seeds follows from, e.g. a hash of its Records; equal keys draw the
            same seeds. Default: `key` and the position in `xs`.

    Returns:
        One array (..., resamples) for each method, in the unit of `xs`. The same keys give the same draws with one
        version of numpy.

    Raises:
        ValueError: no method, differing numbers of items, fewer than two items or resamples, or another number of
            keys than of methods.
    """
    at_least(len(xs), 1, "methods")
    at_least(resamples, 2, "resamples")
    items = xs[0].shape[-1]
    at_least(items, 2, "items")
    if any(x.shape[-1] != items for x in xs):
        raise ValueError(f"all methods must have the same items, got {[x.shape[-1] for x in xs]} of them")
    item_weights = resample_counts(generator("items", key), items, resamples) / items
    draws = seed_generators(key, seed_keys, len(xs))
    return [_weighted_means(_inflated(x), rng, item_weights) for x, rng in zip(xs, draws, strict=True)]


def percentile_bounds(resampled: Array, level: float) -> tuple[Array, Array]:
    """The percentile interval of statistics (..., resamples): its low and high bounds (...)."""
    tail = (1 - inside_unit(level, "level")) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=-1)
    return low, high


def percentile_p(resampled: Array, null: float = 0.0) -> Array:
    """Two-sided p of `null` by inversion of the percentile interval; (..., resamples) to (...).

    Twice the smaller share of resamples on either side, each counted with the observed one, so that p is never 0 and at
    least 2 / (resamples + 1).
    """
    below = (resampled <= null).sum(axis=-1) + 1
    above = (resampled >= null).sum(axis=-1) + 1
    p: Array = np.minimum(1.0, 2 * np.minimum(below, above) / (resampled.shape[-1] + 1))
    return p


def generator(purpose: str, key: Key) -> np.random.Generator:
    """A generator that depends on `purpose` and `key` alone."""
    content = key if isinstance(key, bytes) else str(int(key)).encode()
    digest = hashlib.sha256(purpose.encode() + b"\0" + content).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def seed_generators(key: Key, seed_keys: Sequence[Key] | None, methods: int) -> list[np.random.Generator]:
    """For each method, the generator of its draw of seeds."""
    if seed_keys is None:
        return [generator(f"seeds {i}", key) for i in range(methods)]
    if len(seed_keys) != methods:
        raise ValueError(f"{methods} methods need as many seed keys, got {len(seed_keys)}")
    return [generator("seeds", seed_key) for seed_key in seed_keys]


def resample_counts(rng: np.random.Generator, size: int, resamples: int) -> Array:
    """How often each of `size` things is drawn in each resample: (size, resamples)."""
    drawn = rng.integers(size, size=(resamples, size))
    drawn += size * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=size * resamples).reshape(resamples, size)
    return np.ascontiguousarray(counts.T, dtype=np.float64)


def inflation(count: int) -> float:
    """The factor on deviations between `count` seeds (or families) that makes up for the one that is not free."""
    return float(np.sqrt(count / (count - 1))) if count > 1 else 1.0


def _inflated(x: Array) -> Array:
    mean = x.mean(axis=-2, keepdims=True)
    return np.asarray(mean + inflation(x.shape[-2]) * (x - mean))


def _weighted_means(x: Array, rng: np.random.Generator, item_weights: Array) -> Array:
    *leading, seeds, items = x.shape
    resamples = item_weights.shape[1]
    seed_weights = resample_counts(rng, seeds, resamples) / seeds
    rows = np.ascontiguousarray(x).reshape(-1, items)
    means = np.empty((len(rows) // seeds, resamples))
    step = max(1, _PRODUCTS_AT_ONCE // len(rows))
    for start in range(0, resamples, step):
        part = slice(start, start + step)
        by_seed = (rows @ item_weights[:, part]).reshape(len(means), seeds, -1)
        means[:, part] = np.einsum("rsb,sb->rb", by_seed, seed_weights[:, part])
    return means.reshape(*leading, resamples)
