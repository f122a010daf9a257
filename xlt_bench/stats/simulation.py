"""Experiments with known truth, for the tests of this folder and `benchmarks/coverage.py`.

`ratio` is the true V_seed / V_item (as contributions to the variance of the mean, the interaction left aside) and
`interaction` the true variance of the interaction of single seeds and items, in units of the variance between items.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import Array, Booleans, Integers
from .reduction import by_cluster, reduce


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


@dataclass(frozen=True)
class TableDesign:
    """A table of methods whose true accuracies are known; effects are on the scale of the logit.

    Attributes:
        spreads: for each row, standard deviation between its seeds.
        seeds: for each row, number of seeds.
        tails: degrees of freedom of the seeds' t distribution; None for a normal one.
        collapsed: probability that a run collapses to chance.
        items: number of items.
        language_groups: sizes of groups of languages that find the same items hard.
        accuracy: true accuracy of the rows before `gains`.
        cluster_correlation: of the effects of items in a cluster of three; 0: items are independent.
        missing: share of items that half of the language groups lack: at random, or a block of them.
        blocks: whether missing items are a block.
        normal: scores are the latent normal effects themselves (in units of 0.2) in place of right and wrong answers.
    """

    spreads: tuple[float, ...]
    seeds: tuple[int, ...]
    tails: float | None = None
    collapsed: float = 0.0
    items: int = 204
    language_groups: tuple[int, ...] = (5,) * 8
    accuracy: float = 0.6
    cluster_correlation: float = 0.0
    missing: float = 0.0
    blocks: bool = False
    normal: bool = False

    @property
    def clusters(self) -> list[int]:
        """The cluster of each item."""
        size = 3 if self.cluster_correlation else 1
        return [item // size for item in range(self.items)]


ITEM_SD, METHOD_ITEM_SD, LANGUAGE_ITEM_SD, CHANCE = 1.0, 0.5, 0.5, 0.25


def tables(design: TableDesign, gains: Sequence[float], rng: np.random.Generator, draws: int) -> Iterator[list[Array]]:
    """Tables of reduced scores (seeds, clusters) of each row, whose true accuracies are `accuracy` + `gains`.

    An answer is right with the logistic probability of a sum of effects of the row, seed, language, item, item in that
    language and item for that method, drawn anew for each table, and with `CHANCE` in a collapsed run.
    """
    bases = [_base(design, seed_sd, gain) for seed_sd, gain in zip(design.spreads, gains, strict=True)]
    groups = np.array(design.language_groups)
    easiness = np.linspace(0.5, -0.5, len(groups))
    absent = _absent(design, rng)
    for _ in range(draws):
        item = easiness[:, None] + ITEM_SD * _item_effects(design, rng, 1)
        item = item + LANGUAGE_ITEM_SD * _item_effects(design, rng, len(groups))
        table = []
        for base, seed_sd, count in zip(bases, design.spreads, design.seeds, strict=True):
            latent = base + item + METHOD_ITEM_SD * _item_effects(design, rng, 1)
            of_seed = seed_sd * _seed_effects(design, rng, count)
            scores = _scores(design, latent + of_seed[:, None, None], groups, rng)
            scores[:, absent] = np.nan
            reduced = reduce(scores) if design.missing else scores.mean(axis=1)
            table.append(by_cluster(reduced, design.clusters) if design.cluster_correlation else reduced)
        yield table


def _scores(design: TableDesign, latent: Array, groups: Integers, rng: np.random.Generator) -> Array:
    """(seeds, language groups, items): shares of right answers in a group of languages; or normal scores."""
    if design.normal:
        return np.asarray(0.6 + 0.2 * (latent + rng.standard_normal(latent.shape)))
    p = 1 / (1 + np.exp(-latent))
    if design.collapsed:
        p[rng.random(len(p)) < design.collapsed] = CHANCE
    if groups.max() == 1:
        return (rng.random(p.shape) < p).astype(np.float64)
    return np.asarray(rng.binomial(groups[:, None], p) / groups[:, None])


def _item_effects(design: TableDesign, rng: np.random.Generator, rows: int) -> Array:
    """(rows, items) standard normal effects; within a cluster they are correlated."""
    effects = rng.standard_normal((rows, design.items))
    if not design.cluster_correlation:
        return effects
    shared = rng.standard_normal((rows, design.items))[:, np.array(design.clusters)]
    share = design.cluster_correlation
    return np.asarray(np.sqrt(share) * shared + np.sqrt(1 - share) * effects)


def _seed_effects(design: TableDesign, rng: np.random.Generator, seeds: int) -> Array:
    """(seeds,) effects of variance 1."""
    if design.tails is None:
        return rng.standard_normal(seeds)
    return np.asarray(rng.standard_t(design.tails, seeds) * np.sqrt((design.tails - 2) / design.tails))


def _absent(design: TableDesign, rng: np.random.Generator) -> Booleans:
    """(language groups, items): which items the second half of the groups lack."""
    absent = np.zeros((len(design.language_groups), design.items), dtype=bool)
    half = len(absent) // 2
    if design.blocks:
        absent[half:, round((1 - design.missing) * design.items) :] = True
    else:
        absent[half:] = rng.random((len(absent) - half, design.items)) < design.missing
    return absent


def _base(design: TableDesign, seed_sd: float, gain: float) -> float:
    """The row's effect that gives it the true accuracy: the mean over languages, items and seeds."""
    if design.normal:
        return 5 * gain
    normal, weight = np.polynomial.hermite_e.hermegauss(30)
    item = np.sqrt(ITEM_SD**2 + METHOD_ITEM_SD**2 + LANGUAGE_ITEM_SD**2) * normal
    of_seed = seed_sd * _seed_effects(design, np.random.default_rng(0), 20_000)
    of_seed -= of_seed.mean()
    quantiles = np.quantile(of_seed, (np.arange(200) + 0.5) / 200)
    easiness = np.linspace(0.5, -0.5, len(design.language_groups))
    latent = easiness[:, None, None] + item[:, None] + quantiles
    target = design.accuracy + gain
    low, high = -10.0, 10.0
    for _ in range(40):
        middle = (low + high) / 2
        p = (weight @ (1 / (1 + np.exp(-latent - middle)))).mean() / weight.sum()
        low, high = (middle, high) if p < target else (low, middle)
    return low


def true_accuracy(design: TableDesign, gain: float = 0.0) -> float:
    """What the mean of a row's scores estimates."""
    if design.normal:
        return 0.6 + gain
    return (1 - design.collapsed) * (design.accuracy + gain) + design.collapsed * CHANCE
