"""Statistics of experiments on the same items in several languages: pure functions of numpy arrays.

The way through: answers (seeds, languages, items) -> `reduce` -> scores (seeds, clusters of items) -> `interval`,
`compare`, `pairwise` -> `rank_methods`. Nothing here knows of Records, methods or files.
"""

from .bootstrap import percentile_bounds, percentile_p, resampled_means
from .bounds import exact_shortfall
from .comparison import PairComparison, Verdict, compare, verdict_of
from .components import (
    Components,
    MeanVariance,
    SeedVariance,
    components,
    seeds_only,
    seeds_only_difference,
    two_way,
    two_way_difference,
)
from .confusion import accuracy, confusion_counts, macro_f1, macro_f1_pseudo_values, resampled_scores
from .corrections import benjamini_hochberg, holm
from .intervals import Interval, IntervalMethod, interval
from .languages import resampled_over_languages
from .outliers import outlier_seeds
from .pairwise import Pairwise, against_fixed, pair_p_values, pairwise
from .permutation import PermutationTest, permutation_test
from .power import DetectableDifference, Effects, detectable_difference, effects
from .ranking import Ranking, holm_pairs, rank_intervals, rank_methods, ranks, tie_letters
from .reduction import by_cluster, occurring, reduce, sum_by_cluster
from .student import Part

__all__ = [
    "Components",
    "DetectableDifference",
    "Effects",
    "Interval",
    "IntervalMethod",
    "MeanVariance",
    "PairComparison",
    "Pairwise",
    "Part",
    "PermutationTest",
    "Ranking",
    "SeedVariance",
    "Verdict",
    "accuracy",
    "against_fixed",
    "benjamini_hochberg",
    "by_cluster",
    "compare",
    "components",
    "confusion_counts",
    "detectable_difference",
    "effects",
    "exact_shortfall",
    "holm",
    "holm_pairs",
    "interval",
    "macro_f1",
    "macro_f1_pseudo_values",
    "occurring",
    "outlier_seeds",
    "pair_p_values",
    "pairwise",
    "percentile_bounds",
    "percentile_p",
    "permutation_test",
    "rank_intervals",
    "rank_methods",
    "ranks",
    "reduce",
    "resampled_means",
    "resampled_over_languages",
    "resampled_scores",
    "seeds_only",
    "seeds_only_difference",
    "sum_by_cluster",
    "tie_letters",
    "two_way",
    "two_way_difference",
    "verdict_of",
]
