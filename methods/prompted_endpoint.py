"""A language model behind an OpenAI-compatible endpoint that is asked for the class of a text; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from xlt_bench.errors import ConfigError
from xlt_bench.method import Context, FitSummary, Scores
from xlt_bench.plugins.hyperparameters import operational
from xlt_bench.prompting.account import Account, Pace, Prices
from xlt_bench.prompting.answer_cache import AnswerCache
from xlt_bench.prompting.chat_client import ChatClient, OpenAIClient, RequestSettings
from xlt_bench.prompting.endpoint import Endpoint, Manners
from xlt_bench.prompting.method import Conversation, PromptedMethod, Tally
from xlt_bench.prompting.reading import scores_of, usage
from xlt_bench.prompting.rules import rule_named
from xlt_bench.prompting.templates import messages
from xlt_bench.resources import Resources
from xlt_bench.task import Example, Labelled


@dataclass(frozen=True, kw_only=True)
class PromptedEndpoint(PromptedMethod):
    """Asks the endpoint of OPENAI_BASE_URL with the key of OPENAI_API_KEY.

    Args:
        template: `classes`, `news`, `sib200-gpt`, or `file` for that of --resource template=FILE.
        demonstrations: labelled source examples before the question, each class as often as the others.
        label_words: whether the words for the classes come from --resource label-words=FILE; else each is its own.
        rule: how a class is read from an answer: first-mention, last-mention, only-mention or exact.
        answer_tokens: of an answer, at most.
        max_characters: of a text that are kept.
        model: as the endpoint names it.
        temperature: of sampling; none: not sent, for endpoints that take none.
        concurrency: requests at a time.
        requests_per_minute: none: no limit.
        max_requests: sent at most by all runs of a command together, repeated attempts counted; none: no limit.
        max_cost: of all runs of a command together, in the currency of the prices; none: no limit.
        prompt_price, answer_price: of a million tokens; none: not known.
        retries: further attempts after one without an answer.
        retry_seconds: before the first of them; the wait doubles with each.
        timeout: seconds until a request counts as without an answer.
        token_limit: the name of the parameter that limits an answer's tokens, which endpoints call differently.
    """

    uses_backbone: ClassVar[bool] = False

    model: str = ""
    temperature: float | None = 0.0
    concurrency: int = operational(4)
    requests_per_minute: float | None = operational(None)
    max_requests: int | None = operational(None)
    max_cost: float | None = operational(None)
    prompt_price: float | None = operational(None)
    answer_price: float | None = operational(None)
    retries: int = operational(5)
    retry_seconds: float = operational(0.5)
    timeout: float = operational(60.0)
    token_limit: Literal["max_tokens", "max_completion_tokens"] = operational("max_tokens")

    def __post_init__(self) -> None:
        super().__post_init__()
        limits = (self.requests_per_minute, self.max_requests, self.max_cost, self.timeout, self.concurrency)
        amounts = (self.prompt_price, self.answer_price, self.retries, self.retry_seconds, self.temperature)
        if any(limit is not None and limit <= 0 for limit in limits):
            raise ConfigError("concurrency, timeout, requests_per_minute, max_requests and max_cost must be above 0")
        if any(amount is not None and amount < 0 for amount in amounts):
            raise ConfigError("prompt_price, answer_price, retries, retry_seconds and temperature must not be negative")
        if self.max_cost is not None and not self.prices.known:
            raise ConfigError(
                f"max_cost={self.max_cost:g} needs prices: --set prompt_price=... --set answer_price=..., of a million "
                "tokens each"
            )

    @property
    def prices(self) -> Prices:
        """As far as they are known."""
        return Prices(self.prompt_price, self.answer_price)

    @cached_property
    def account(self) -> Account:
        """Of all runs of this configured method: a limit of a command is one of its seeds together."""
        return Account(self.prices, self.max_requests, self.max_cost)

    @cached_property
    def pace(self) -> Pace:
        """Of all requests of this configured method."""
        return Pace(self.requests_per_minute)

    def prompt(self, resources: Resources) -> Mapping[str, Any]:
        """With the model, which is no backbone.

        Raises:
            ConfigError: there is no model to ask.
        """
        if not self.model:
            raise ConfigError("no model to ask; give the name that the endpoint has for it: --set model=NAME")
        return {**super().prompt(resources), "model": self.model}

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> PromptedService:
        """Draw the demonstrations; dev is not looked at, and nothing is sent.

        Raises:
            ConfigError: the package openai, or the key in the environment, is missing, or answers cannot be kept.
        """
        self.client().close()
        AnswerCache().check_writable()
        return PromptedService(self, self.conversation(train, context), context)

    def load(self, folder: Path, context: Context) -> PromptedService:
        """Restore what `PromptedService.save` wrote."""
        return PromptedService(self, self.load_conversation(folder, context), context)

    def client(self) -> ChatClient:
        """What sends requests."""
        return OpenAIClient(self.request_settings)

    @property
    def request_settings(self) -> RequestSettings:
        """What is the same of all requests."""
        return RequestSettings(self.model, self.answer_tokens, self.temperature, self.token_limit, self.timeout)


class PromptedService:
    """An endpoint with its prompt. Answers are kept in the user's cache, and asked for once."""

    summary = FitSummary()

    def __init__(self, method: PromptedEndpoint, conversation: Conversation, context: Context) -> None:
        self.method = method
        self.conversation = conversation
        self.context = context
        self._tally = Tally()
        self._prompt_tokens = self._answer_tokens = self._uncounted = 0
        self._requests = self._cached = self._refused = self._cut_off = 0
        self._models: set[str] = set()

    def predict(self, examples: Sequence[Example]) -> Scores:
        """1 for the class that an answer names, (items, classes), float32; a row of NaN where it names none.

        Raises:
            EndpointError: the endpoint gives no answer, or a limit is reached.
        """
        method, client = self.method, self.method.client()
        manners = Manners(method.concurrency, method.retries, method.retry_seconds)
        endpoint = Endpoint(client, method.request_settings, manners, method.account, method.pace, AnswerCache())
        try:
            replies = endpoint.replies([messages(self.conversation.turns(example)) for example in examples])
        finally:
            client.close()
        for reply in replies:
            self._prompt_tokens += reply.prompt_tokens or 0
            self._answer_tokens += reply.answer_tokens or 0
            self._uncounted += reply.text is not None and None in (reply.prompt_tokens, reply.answer_tokens)
            self._cut_off += reply.cut_off
            self._models |= {reply.model} - {""}
        self._cached += endpoint.cached
        self._requests += endpoint.requests
        self._refused += sum(reply.text is None for reply in replies)
        rule, words = rule_named(method.rule), self.conversation.words
        classes = [
            None if reply.text is None else words.read(reply.text, example.language, rule)
            for reply, example in zip(replies, examples, strict=True)
        ]
        self._tally.count([reply.text for reply in replies], [label is None for label in classes])
        return scores_of(classes, self.context.labels)

    def report(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`usage`: tokens and cost of all answers, requests of this run, items without a class."""
        prices = self.method.prices
        return usage(
            self._tally,
            self._prompt_tokens,
            self._answer_tokens,
            cost=prices.cost(self._prompt_tokens, self._answer_tokens) if prices.known else None,
            requests=self._requests,
            from_cache=self._cached,
            refused=self._refused,
            cut_off=self._cut_off,
            without_token_counts=self._uncounted,
            answered_by=sorted(self._models),
        )

    def save(self, folder: Path) -> None:
        """Write the demonstrations; the model is elsewhere."""
        self.conversation.save(folder)
