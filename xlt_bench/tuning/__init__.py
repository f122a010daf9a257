"""Tuning: the same number of trials and the same kind of space for every method, selected on source dev only."""

from __future__ import annotations

from xlt_bench.tuning.search import Search, Trial, Tuned, prepare_search, search

__all__ = ["Search", "Trial", "Tuned", "prepare_search", "search"]
