"""One request to an OpenAI-compatible endpoint. Its address and key come from the environment and go nowhere else.

Nothing that a server or a library says about a failure is passed on: it may repeat the key or the address. Answers are
passed on without them.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from typing import Any, Protocol

from xlt_bench.errors import ConfigError, EndpointError
from xlt_bench.prompting.answer_cache import Messages, Reply

KEY, BASE_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""Environment variables."""

_OF_THE_ITEM = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "content_filter", "content_policy_violation"}
)
"""Codes, or types (llama.cpp), of errors that are about what was asked; another item may well be answered."""
_TOO_LONG = re.compile(r"context[ _](length|size|window)|maximum model length|max_model_len", re.IGNORECASE)
"""What servers without such codes write of a prompt that is too long for the model (vLLM, SGLang)."""
_PASSING = frozenset({408, 409, 425, 429})
"""Statuses after which it helps to ask again, beside those from 500 on."""


_BAD_REQUEST = frozenset({400, 413, 422})
"""Statuses of requests that are refused for what is in them."""
_OF_PARAMETERS = {
    "temperature": "leave it to the model: --set temperature=none",
    "max_tokens": "name it otherwise: --set token_limit=max_completion_tokens",
    "max_completion_tokens": "name it otherwise: --set token_limit=max_tokens",
}
"""Ways out where a parameter is not supported, by its name."""
_SHORTEST_KEY = 8
"""Characters; what is shorter ("none", "x") is given to servers that ask for no key, and is part of many a word."""
_LONGEST_MODEL = 100
"""Characters of a model's name that are kept."""


class Unavailable(Exception):  # noqa: N818 - no error yet: the request is sent again
    """No answer this time.

    Attributes:
        reason: in a few words that hold nothing of the server's.
        retry_after: seconds that it asks to be left alone; None where it does not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class ChatClient(Protocol):
    """Sends requests; for several threads."""

    @property
    def address(self) -> str:
        """Of the endpoint, for the key of cached answers, which does not show it."""

    def ask(self, messages: Messages) -> Reply:
        """The answer to a conversation.

        Raises:
            Unavailable: it may help to ask again.
            EndpointError: it does not.
        """

    def close(self) -> None:
        """Let connections go."""


@dataclass(frozen=True)
class RequestSettings:
    """What is the same of all requests.

    Attributes:
        temperature: None: not sent, so that the server's own holds.
        token_limit: the name of the parameter that limits the answer's tokens, which servers call differently.
        timeout: seconds.
    """

    model: str
    answer_tokens: int
    temperature: float | None = 0.0
    token_limit: str = "max_tokens"
    timeout: float = 60.0


class OpenAIClient:
    """The `openai` package's client, without retries of its own.

    Raises:
        ConfigError: the package, or the key in the environment, is missing.
    """

    def __init__(self, settings: RequestSettings) -> None:
        try:
            import openai
        except ImportError as error:
            raise ConfigError(
                "an endpoint is asked through the package openai: pip install 'xlt-bench[llm]'"
            ) from error
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise ConfigError(
                f"no {KEY} in the environment; export it (any text, where a server asks for none), and {BASE_URL} for "
                "another endpoint than OpenAI's"
            )
        base_url = os.environ.get(BASE_URL, "").strip() or None
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ConfigError(f"{BASE_URL} is no address of an endpoint; it begins with http:// or https://")
        self._openai = openai
        self._settings = settings
        self._key = key
        self._client = openai.OpenAI(api_key=key, base_url=base_url, timeout=settings.timeout, max_retries=0)

    @property
    def address(self) -> str:
        """See `ChatClient`."""
        return str(self._client.base_url)

    def ask(self, messages: Messages) -> Reply:
        """See `ChatClient`."""
        completions: Any = self._client.chat.completions.with_raw_response
        settings = self._settings
        temperature = {} if settings.temperature is None else {"temperature": settings.temperature}
        try:
            response = completions.create(
                model=settings.model,
                messages=list(messages),
                extra_body={settings.token_limit: settings.answer_tokens, **temperature},
            )
        except self._openai.APIStatusError as error:
            return _refused(error.status_code, _Problem.of(error.body), error.response.headers.get("retry-after"))
        except self._openai.APITimeoutError:
            raise Unavailable(f"no answer within {settings.timeout:g} seconds") from None
        except Exception:  # the connection; whatever its libraries raise names the address
            raise Unavailable("no connection") from None
        reply = read_reply(response.text if isinstance(response.text, str) else response.text())
        text = None if reply.text is None else self._without_secrets(reply.text)
        return replace(reply, text=text, model=self._without_secrets(reply.model)[:_LONGEST_MODEL])

    def _without_secrets(self, text: str) -> str:
        """What a server says, without the key and the address, should it repeat them."""
        key = [self._key] if len(self._key) >= _SHORTEST_KEY else []
        for secret in (*key, self.address.rstrip("/")):
            text = text.replace(secret, "[removed]")
        return text

    def close(self) -> None:
        """See `ChatClient`."""
        self._client.close()


def read_reply(body: str) -> Reply:
    """The answer in a response.

    Raises:
        Unavailable: it is no chat completion.
    """
    try:
        plain = json.loads(body)
        choice = plain["choices"][0]
        content, ending = choice["message"].get("content"), choice.get("finish_reason")
        usage, model = plain.get("usage"), plain.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Unavailable("a response that is no chat completion") from None
    counts = usage if isinstance(usage, dict) else {}
    if content is None and (isinstance(ending, str) or counts):
        content = ""  # all tokens went into thinking, or it was filtered: it was paid, and would come out so again
    if not isinstance(content, str):
        raise Unavailable("a response without an answer in words")
    return Reply(
        content,
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        model if isinstance(model, str) else "",
        cut_off=ending == "length",
    )


def _count(value: object) -> int | None:
    """A number of tokens; None where it is no such number."""
    return value if type(value) is int and value >= 0 else None


@dataclass(frozen=True)
class _Problem:
    """What an error says of itself, as far as it is looked at.

    Attributes:
        code, kind: words such as `context_length_exceeded`, empty if they are none; no other text of the server's.
        parameter: the name of the parameter that it is about.
        is_too_long: whether its message says that the prompt is too long for the model.
    """

    code: str = ""
    kind: str = ""
    parameter: str = ""
    is_too_long: bool = False

    @classmethod
    def of(cls, body: object) -> _Problem:
        """What a response's body tells."""
        error = body.get("error", body) if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return cls()
        is_too_long = _TOO_LONG.search(str(error.get("message"))) is not None
        return cls(_word(error.get("code")), _word(error.get("type")), str(error.get("param")), is_too_long)


def _word(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[a-z]{2,}(_[a-z]{2,}){1,5}", value) else ""


def _refused(status: int, problem: _Problem, retry_after: str | None) -> Reply:
    """What a status other than success comes to.

    Raises:
        Unavailable, EndpointError: see `ChatClient.ask`.
    """
    if {problem.code, problem.kind} & _OF_THE_ITEM or (status in _BAD_REQUEST and problem.is_too_long):
        return Reply(None)
    named = f"HTTP {status}{f', {problem.code}' if problem.code else ''}"
    if (status in _PASSING or status >= 500) and problem.code != "insufficient_quota":
        raise Unavailable(named, _seconds(retry_after))
    ways_out = {401: f"check {KEY}", 403: f"check {KEY}", 404: f"check --set model= and {BASE_URL}"}
    way_out = ways_out.get(status, f"check --set model=, {BASE_URL} and your plan")
    if problem.code in ("unsupported_value", "unsupported_parameter"):
        way_out = _OF_PARAMETERS.get(problem.parameter, way_out)
    raise EndpointError(f"the endpoint refuses requests ({named}); {way_out}")


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < float("inf") else None
