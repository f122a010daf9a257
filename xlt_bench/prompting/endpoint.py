"""Many questions to an endpoint: from the cache where they were asked before, else several at a time, with retries."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from xlt_bench.errors import EndpointError
from xlt_bench.prompting.account import Account, Pace
from xlt_bench.prompting.answer_cache import AnswerCache, Messages, Reply
from xlt_bench.prompting.chat_client import ChatClient, RequestSettings, Unavailable

_LONGEST_WAIT = 60.0
"""Seconds between two attempts, whatever a server asks for."""


@dataclass(frozen=True)
class Manners:
    """How requests are sent.

    Attributes:
        concurrency: requests at a time.
        retries: further attempts after one without an answer.
        retry_seconds: before the first of them; the wait doubles with each.
    """

    concurrency: int = 4
    retries: int = 5
    retry_seconds: float = 0.5


@dataclass
class Endpoint:
    """Asks questions and keeps the answers.

    Attributes:
        cached: answers that were there already.
        requests: sent so far, each attempt counted.
    """

    client: ChatClient
    settings: RequestSettings
    manners: Manners
    account: Account
    pace: Pace
    cache: AnswerCache
    cached: int = 0
    requests: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _failure: EndpointError | None = None

    def replies(self, conversations: Sequence[Messages]) -> list[Reply]:
        """A reply to each, in their order; equal conversations are asked once.

        Raises:
            EndpointError: the endpoint gives no answer, or a limit is reached; every answer until then is kept.
        """
        address, settings = self.client.address, self.settings
        keys = [
            AnswerCache.key(address, settings.model, messages, settings.answer_tokens, settings.temperature)
            for messages in conversations
        ]
        replies = {key: reply for key in dict.fromkeys(keys) if (reply := self.cache.read(key)) is not None}
        self.cached += sum(key in replies for key in keys)
        missing = {key: messages for key, messages in zip(keys, conversations, strict=True) if key not in replies}
        self._stopped.clear()
        self._failure = None
        with ThreadPoolExecutor(self.manners.concurrency) as pool:
            futures = {key: pool.submit(self._reply, key, messages) for key, messages in missing.items()}
            try:
                replies |= {key: future.result() for key, future in futures.items()}
            except BaseException as error:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                if isinstance(error, EndpointError) and self._failure is not None:
                    raise self._failure from None  # the first; the others stopped because of it
                raise
        return [replies[key] for key in keys]

    def _reply(self, key: str, messages: Messages) -> Reply:
        """A reply, which is kept before anybody sees it; after a failure no other question is sent."""
        try:
            reply = self._persistently(messages)
            self.cache.write(key, reply)
        except EndpointError as failure:
            self._failure = self._failure or failure
            self._stopped.set()
            raise
        return reply

    def _persistently(self, messages: Messages) -> Reply:
        """Ask, and ask again as often as the manners say."""
        for attempt in range(self.manners.retries + 1):
            try:
                return self._attempt(messages)
            except Unavailable as error:
                reason = error
            usual = self.manners.retry_seconds * 2.0**attempt
            seconds = usual if reason.retry_after is None else reason.retry_after
            if attempt < self.manners.retries:
                self._stopped.wait(min(seconds, _LONGEST_WAIT))
        raise EndpointError(
            f"the endpoint gives no answer ({reason.reason}, {attempt + 1} attempts); answers so far are kept, and the "
            "same command goes on from there"
        )

    def _attempt(self, messages: Messages) -> Reply:
        if self._stopped.wait(self.pace.take_turn()):
            raise EndpointError("stopped with the others")
        reserved, reply = self.account.reserve(messages, self.settings.answer_tokens), None
        with self._lock:
            self.requests += 1
        try:
            reply = self.client.ask(messages)
        finally:
            self.account.settle(reserved, reply)
        return reply
