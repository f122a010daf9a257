"""What requests to an endpoint may cost, and how many there may be: checked before one is sent, by several threads."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from xlt_bench.errors import EndpointError
from xlt_bench.prompting.answer_cache import Messages, Reply

_MILLION = 1_000_000
_TOKENS_OF_A_MESSAGE = 16
"""That a chat format adds to a message, at most."""


@dataclass(frozen=True)
class Prices:
    """Of a million tokens of prompts and of answers, in any currency; None: not known."""

    prompt: float | None = None
    answer: float | None = None

    @property
    def known(self) -> bool:
        """Whether a cost can be told."""
        return self.prompt is not None and self.answer is not None

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Of so many tokens."""
        assert self.prompt is not None
        assert self.answer is not None
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / _MILLION

    def most(self, messages: Messages, answer_tokens: int) -> float:
        """What a request can cost at most: no token of a text has less than a byte."""
        size = sum(len(message["content"].encode()) + _TOKENS_OF_A_MESSAGE for message in messages)
        return self.cost(size, answer_tokens)


@dataclass
class Account:
    """Requests and costs of all runs of a command, each sent attempt counted; for several threads.

    Attributes:
        max_requests, max_cost: None: without limit. A cost is kept to before it is reached: what requests under way can
            cost at most counts as spent.
        requests: sent so far.
        spent: the cost of answers and of attempts without one, as far as prices are known.
    """

    prices: Prices
    max_requests: int | None = None
    max_cost: float | None = None
    requests: int = 0
    spent: float = 0.0
    _reserved: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def reserve(self, messages: Messages, answer_tokens: int) -> float:
        """Before a request is sent; what is reserved for it.

        Raises:
            EndpointError: one more request, or what it can cost, is over a limit.
        """
        most = self.prices.most(messages, answer_tokens) if self.prices.known else 0.0
        with self._lock:
            if self.max_requests is not None and self.requests >= self.max_requests:
                raise EndpointError(
                    f"max_requests={self.max_requests} is reached; answers so far are kept, and the same command goes "
                    "on from there and counts anew"
                )
            if self.max_cost is not None and self.spent + self._reserved + most > self.max_cost:
                raise EndpointError(
                    f"max_cost={self.max_cost:g} could be passed by the next request ({self.spent:.4g} are spent); "
                    "answers so far are kept, and the same command goes on from there and counts anew"
                )
            self.requests += 1
            self._reserved += most
        return most

    def settle(self, reserved: float, reply: Reply | None) -> None:
        """After a request: what it cost; the reserved sum, where nobody knows."""
        cost = reserved
        if reply is not None and self.prices.known and None not in (reply.prompt_tokens, reply.answer_tokens):
            cost = self.prices.cost(reply.prompt_tokens or 0, reply.answer_tokens or 0)
        with self._lock:
            self._reserved -= reserved
            self.spent += cost


class Pace:
    """At most so many requests a minute, evenly; for several threads.

    Args:
        per_minute: None: as fast as they can.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._seconds = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def take_turn(self) -> float:
        """Seconds to wait before whoever takes this turn sends a request."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._seconds
        return turn - now
