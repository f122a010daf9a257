"""Stored results of others as baselines with their provenance, and the importer for answers of prompted models."""

from xlt_bench.baselines.answers import Expected, read_answers
from xlt_bench.baselines.catalogue import TASK_HASH, Baseline, GroupValue, baselines, best_evidence, per_group
from xlt_bench.baselines.rules import DEFAULT_RULE, RULES, parse

__all__ = [
    "DEFAULT_RULE",
    "RULES",
    "TASK_HASH",
    "Baseline",
    "Expected",
    "GroupValue",
    "baselines",
    "best_evidence",
    "parse",
    "per_group",
    "read_answers",
]
