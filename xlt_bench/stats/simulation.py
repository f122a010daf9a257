"""Experiments with known truth, for the tests of this folder and `benchmarks/coverage.py`.

`ratio` is the true V_seed / V_item (as contributions to the variance of the mean, the interaction left aside) and
`interaction` the true variance of the interaction of single seeds and items, in units of the variance between items.
"""

import numpy as np

from .arrays import Array


def normal_scores(
    rng: np.random.Generator, draws: int, seeds: int, items: int, ratio: float, interaction: float
) -> Array:
    """(draws, seeds, items) reduced scores with true mean 0 and variance 1 between items."""
    x = rng.standard_normal((draws, seeds, items), dtype=np.float32) * np.float32(np.sqrt(interaction))
    x += rng.standard_normal((draws, 1, items), dtype=np.float32)
    x += rng.standard_normal((draws, seeds, 1), dtype=np.float32) * np.float32(np.sqrt(ratio * seeds / items))
    return x.astype(np.float64)


def equal_methods(
    rng: np.random.Generator, draws: int, seeds: tuple[int, int], items: int, ratio: float, interaction: float
) -> tuple[Array, Array]:
    """Two methods with the same true mean, (draws, seeds[k], items) each; `ratio` holds for each against the items.

    Items are hard for both (variance 4, which pairing removes) and harder for one than for the other (variance 1 of the
    difference).
    """
    shared = 2 * rng.standard_normal((draws, 1, items))
    a, b = (normal_scores(rng, draws, s, items, 2 * ratio, 2 * interaction) * np.sqrt(0.5) for s in seeds)
    return a + shared, b + shared


def answers_with_gaps(
    rng: np.random.Generator, draws: int, seeds: int, items: int, ratio: float
) -> tuple[Array, float]:
    """Right (1) and wrong (0) answers in six languages, three of which lack a third of the items; with the true mean.

    An answer is right when a sum of normal effects (seed, item, item in that language, and chance of variance 1) passes
    a threshold. Half the items are of a harder class, and those that a language lacks are all of that class: averaging
    over whichever languages have an item would be biased. `ratio` holds approximately.

    Returns:
        (draws, seeds, languages, items) answers, NaN where the language lacks the item; and the truth, the mean over
        languages of P(right) = Phi(location / sqrt(1 + variances)), averaged over the items that the language has.
    """
    from scipy.special import ndtr

    easiness, hardness = np.array([1.2, 0.8, 0.5, 0.2, -0.2, -0.6]), np.array([-0.8, 0.8])
    lacking = np.array([0.0, 0.0, 0.0, 2 / 3, 2 / 3, 2 / 3])
    item, item_in_language = 0.6, 0.4
    seed = ratio * seeds / items * (item + hardness.var() + item_in_language / len(easiness))
    harder = rng.random((draws, 1, items)) < 0.5
    latent = easiness[:, None] - np.where(harder, hardness[1], hardness[0])
    latent = latent + np.sqrt(item) * rng.standard_normal((draws, 1, items))
    latent += np.sqrt(item_in_language) * rng.standard_normal(latent.shape)
    seed_effect = np.sqrt(seed) * rng.standard_normal((draws, seeds, 1, 1), dtype=np.float32)
    chance = rng.standard_normal((draws, seeds, *latent.shape[1:]), dtype=np.float32)
    y = (chance + seed_effect + latent.astype(np.float32)[:, None] > 0).astype(np.float64)
    absent = harder & (rng.random(latent.shape) < lacking[:, None])
    y[np.broadcast_to(absent[:, None], y.shape)] = np.nan
    right = ndtr((easiness[:, None] - hardness) / np.sqrt(1 + item + item_in_language + seed))
    share_harder = (1 - lacking) / (2 - lacking)
    return y, float(np.mean((1 - share_harder) * right[:, 0] + share_harder * right[:, 1]))
