"""What a notebook calls: `run`, `leaderboard` and `compare` do what the commands of those names do."""

from __future__ import annotations

from xlt_bench.api.board import Board
from xlt_bench.api.calls import compare, leaderboard, run
from xlt_bench.api.comparison import Comparison
from xlt_bench.api.runs import Runs

__all__ = ["Board", "Comparison", "Runs", "compare", "leaderboard", "run"]
