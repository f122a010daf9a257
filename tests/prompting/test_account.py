"""Limits of requests and costs, and the pace of requests."""

from __future__ import annotations

import pytest

from xlt_bench.errors import EndpointError
from xlt_bench.prompting.account import Account, Pace, Prices
from xlt_bench.prompting.answer_cache import Reply

ASKED = [{"role": "user", "content": "x" * 84}]  # 100 bytes with what a chat format adds
PRICES = Prices(prompt=10_000.0, answer=20_000.0)


def test_a_request_can_cost_no_more_than_its_bytes_and_longest_answer() -> None:
    assert PRICES.most(ASKED, 5) == pytest.approx((100 * 10_000 + 5 * 20_000) / 1e6)
    assert PRICES.cost(100, 5) == PRICES.most(ASKED, 5)
    assert PRICES.most([{"role": "user", "content": "\u10d0" * 28}], 5) == PRICES.most(ASKED, 5)


def test_what_is_under_way_counts_as_spent_until_it_is_settled() -> None:
    account = Account(PRICES, max_cost=2.5)
    first, second = account.reserve(ASKED, 5), account.reserve(ASKED, 5)  # 1.1 each at most
    with pytest.raises(EndpointError, match=r"max_cost=2.5 could be passed by the next request \(0 are spent\)"):
        account.reserve(ASKED, 5)
    account.settle(first, Reply("a", prompt_tokens=20, answer_tokens=5))
    assert account.spent == pytest.approx(0.3)
    account.settle(second, None)  # nobody knows whether it was charged
    assert account.spent == pytest.approx(0.3 + 1.1)
    account.settle(account.reserve(ASKED, 5), Reply("a"))  # without counts
    assert account.spent == pytest.approx(0.3 + 2.2)
    with pytest.raises(EndpointError, match="max_cost"):
        account.reserve(ASKED, 5)


def test_requests_are_limited_whether_answered_or_not() -> None:
    account = Account(Prices(), max_requests=2)
    for reply in (None, Reply("a")):
        account.settle(account.reserve(ASKED, 5), reply)
    with pytest.raises(EndpointError, match="max_requests=2 is reached; answers so far are kept"):
        account.reserve(ASKED, 5)
    assert (account.requests, account.spent) == (2, 0.0)


def test_requests_of_a_pace_are_as_far_apart_as_it_says() -> None:
    pace = Pace(6.0)
    waits = [pace.take_turn() for _ in range(4)]
    assert waits == pytest.approx([0.0, 10.0, 20.0, 30.0], abs=0.5)  # from the first on, as nobody really slept
    unlimited = Pace(None)
    assert [unlimited.take_turn() for _ in range(3)] == [0.0] * 3
