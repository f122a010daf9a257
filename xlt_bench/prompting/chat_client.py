"""One request to an OpenAI-compatible endpoint. Its address and key come from the environment and go nowhere else.

Nothing that a server or a library says about a failure is passed on: it may repeat the key or the address.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any, Protocol

from xlt_bench.errors import ConfigError, EndpointError
from xlt_bench.prompting.answer_cache import Messages, Reply

KEY, BASE_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""Environment variables."""

_OF_THE_ITEM = frozenset({"context_length_exceeded", "content_filter", "content_policy_violation"})
"""Codes of errors that are about what was asked; another item may well be answered."""
_PASSING = frozenset({408, 409, 425, 429})
"""Statuses after which it helps to ask again, beside those from 500 on."""


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
        token_limit: the name of the parameter that limits the answer's tokens, which servers call differently.
        timeout: seconds.
    """

    model: str
    answer_tokens: int
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
        self._client = openai.OpenAI(api_key=key, base_url=base_url, timeout=settings.timeout, max_retries=0)

    @property
    def address(self) -> str:
        """See `ChatClient`."""
        return str(self._client.base_url)

    def ask(self, messages: Messages) -> Reply:
        """See `ChatClient`."""
        completions: Any = self._client.chat.completions.with_raw_response
        try:
            response = completions.create(
                model=self._settings.model,
                messages=list(messages),
                temperature=0,
                extra_body={self._settings.token_limit: self._settings.answer_tokens},
            )
        except self._openai.APIStatusError as error:
            return _refused(error.status_code, error.body, error.response.headers.get("retry-after"))
        except self._openai.APITimeoutError:
            raise Unavailable(f"no answer within {self._settings.timeout:g} seconds") from None
        except Exception:  # the connection; whatever its libraries raise names the address
            raise Unavailable("no connection") from None
        return read_reply(response.text if isinstance(response.text, str) else response.text())

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
    if content is None and (ending == "content_filter" or choice["message"].get("refusal")):
        content = ""
    if not isinstance(content, str):
        raise Unavailable("a response without an answer in words")
    counts = usage if isinstance(usage, dict) else {}
    return Reply(
        content,
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        model if isinstance(model, str) else "",
    )


def _count(value: object) -> int | None:
    """A number of tokens; None where it is no such number."""
    return value if type(value) is int and value >= 0 else None


def _refused(status: int, body: object, retry_after: str | None) -> Reply:
    """What a status other than success comes to.

    Raises:
        Unavailable, EndpointError: see `ChatClient.ask`.
    """
    code = _code(body)
    if code in _OF_THE_ITEM:
        return Reply(None)
    named = f"HTTP {status}{f', {code}' if code else ''}"
    if (status in _PASSING or status >= 500) and code != "insufficient_quota":
        raise Unavailable(named, _seconds(retry_after))
    ways_out = {401: f"check {KEY}", 403: f"check {KEY}", 404: f"check --set model= and {BASE_URL}"}
    way_out = ways_out.get(status, f"check --set model=, {BASE_URL} and your plan")
    raise EndpointError(f"the endpoint refuses requests ({named}); {way_out}")


def _code(body: object) -> str:
    """The code of an error, a word such as `context_length_exceeded`; no other text of the server's."""
    error = body.get("error", body) if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[a-z]{2,}(_[a-z]{2,}){1,5}", code) else ""


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < float("inf") else None
