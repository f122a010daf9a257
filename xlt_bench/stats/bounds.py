"""Bounds of a score at the end of its range, where nothing varies and a t interval would have no width."""

from .arrays import alpha_of, at_least


def exact_shortfall(clusters: int, level: float = 0.95) -> float:
    """How far the true score may be from an end of its range that every answer to `clusters` clusters reached.

    Clopper & Pearson's (1934) bound for none among C: 1 - (alpha / 2)^(1 / C). A cluster counts as one trial that went
    wholly right, whatever number of languages, seeds and items it has: the true score is less than 1 by no more than
    the probability of a cluster with any wrong answer. Assumed: clusters are independent draws of about equal size;
    and runs would go on not to differ (seeds that all agree say nothing of one that would not).

    Args:
        clusters: number of clusters of items; of items, where each is a cluster of its own.
        level: of the two-sided interval.

    Raises:
        ValueError: no cluster, or a level outside (0, 1).
    """
    at_least(clusters, 1, "clusters")
    return float(1 - (alpha_of(level) / 2) ** (1 / clusters))
