"""Stored results of others as baselines with their provenance, and the importer for answers of prompted models."""

from .answers import DEFAULT_RULE, RULES, Expected, parse, read_answers
from .catalogue import TASK_HASH, Baseline, GroupValue, baselines, best_evidence, per_group

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
