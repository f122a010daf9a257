"""What the page is given: numbers short enough for one file, and none that says more than the board."""

from __future__ import annotations

import pytest

from xlt_bench.leaderboard.render.page.data import Q_UNITS, in_units


@pytest.mark.parametrize("q", [0.0, 0.0101, 0.05, 0.05 + 1e-15, 0.0504, 0.09999, 1.0])
def test_a_rounded_q_is_at_a_level_just_where_q_is(q: float) -> None:
    for level in (0.01, 0.05, 0.1):
        assert (in_units(q) <= Q_UNITS * level) == (q <= level + 1e-12)
