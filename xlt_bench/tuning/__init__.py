"""Tuning: the same number of trials and the same kind of space for every method, selected on source dev only."""

from __future__ import annotations

from xlt_bench.tuning.search import Search, Tuned, begin, prepare_search, search
from xlt_bench.tuning.trial import Trial

__all__ = ["Search", "Trial", "Tuned", "begin", "prepare_search", "search"]
