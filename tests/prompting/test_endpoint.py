"""The endpoint method against a server on this machine that is down, slow, refuses, lies, or answers something else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.chat_server import KEY, ChatServer, Messages, Response, chat_server, completion, failure
from tests.support.toy import CODES, LABELS, part
from xlt_bench.conformance.toy import CLASS_WORDS
from xlt_bench.errors import ConfigError, EndpointError
from xlt_bench.method import Context, Scores
from xlt_bench.methods.prompted_endpoint import PromptedEndpoint, PromptedService
from xlt_bench.plugins.methods import configure
from xlt_bench.prompting.chat_client import read_reply
from xlt_bench.recipe import preset_recipe

pytest.importorskip("openai")
TRAIN, ITEMS = part("eng_Latn", "train"), part("kat_Geor", "test")
QUICK: dict[str, Any] = {"model": "tiny-chat", "retry_seconds": 0.01, "timeout": 5.0, "retries": 2}


VLLM = {"message": "This model's maximum context length is 64 tokens.", "type": "BadRequestError", "code": 400}
LLAMA_CPP = {"code": 400, "message": "the request exceeds it, try increasing", "type": "exceed_context_size_error"}


def right(number: int, messages: Messages) -> Response:
    """Names the class of the question's text."""
    text = messages[-1]["content"].rpartition("Text: ")[2]
    label = next(label for label in LABELS if set(CLASS_WORDS[label]) & set(text.split()))
    return completion(f"It is about the class **{label.upper()}**.")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key, and a cache of the test's own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A server that answers rightly, to be given another behaviour."""
    with chat_server(right) as serving:
        monkeypatch.setenv("OPENAI_BASE_URL", serving.address)
        yield serving


def fitted(**settings: Any) -> PromptedService:
    context = Context(LABELS, 0, preset_recipe("cldr"))
    return PromptedEndpoint(**{**QUICK, **settings}).fit(TRAIN, TRAIN, context)


def usage(service: PromptedService) -> dict[str, Any]:
    report: dict[str, Any] = service.report([])["usage"]
    return report


def share_right(scores: Scores) -> float:
    """Of the first items, those that were answered."""
    hits = np.nan_to_num(scores, nan=-1.0).argmax(1) == ITEMS.gold[: len(scores)]
    return float(hits[~np.isnan(scores).any(1)].mean())


def test_answers_are_read_and_counted(server: ChatServer) -> None:
    service = fitted(prompt_price=1.0, answer_price=4.0)
    scores = service.predict(ITEMS.examples)
    assert scores.shape == (len(ITEMS), len(LABELS))
    assert share_right(scores) == 1.0
    assert usage(service) == {
        "items": 12,
        "abstained": 0,
        "unread_answers": [],
        "prompt_tokens": 1200,
        "answer_tokens": 24,
        "cost": pytest.approx((1200 + 24 * 4) / 1e6),
        "requests": len(server.requests),
        "from_cache": 0,
        "refused": 0,
        "cut_off": 0,
        "without_token_counts": 0,
        "answered_by": ["tiny-chat-2026"],
    }
    assert server.keys == {f"Bearer {KEY}"}
    asked = server.requests[0]
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("tiny-chat", 0, 16)


def test_demonstrations_are_turns_of_the_conversation(server: ChatServer) -> None:
    fitted(demonstrations=3).predict(ITEMS.examples[:1])
    (asked,) = server.requests
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant"] * 3 + ["user"]
    assert {message["content"] for message in asked["messages"][1::2]} == set(LABELS)


def test_nothing_is_paid_twice(server: ChatServer) -> None:
    """Not within a call, nor by another run, nor where answers are read by another rule."""
    first = fitted().predict([*ITEMS.examples, *ITEMS.examples])
    texts = len({example.text for example in ITEMS.examples})
    assert len(server.requests) == texts
    again = fitted(rule="last-mention", concurrency=1)
    np.testing.assert_array_equal(again.predict(ITEMS.examples), first[: len(ITEMS)])
    assert len(server.requests) == texts
    assert (usage(again)["requests"], usage(again)["from_cache"], usage(again)["prompt_tokens"]) == (0, 12, 1200)
    fitted(answer_tokens=5).predict(ITEMS.examples[:1])
    fitted(model="another").predict(ITEMS.examples[:1])
    assert len(server.requests) == texts + 2


def test_a_run_goes_on_from_the_item_where_it_stopped(server: ChatServer) -> None:
    server.behaviour = lambda number, messages: right(number, messages) if number < 5 else failure(500)
    with pytest.raises(EndpointError, match=r"gives no answer \(HTTP 500, 3 attempts\); answers so far are kept"):
        fitted(concurrency=1).predict(ITEMS.examples)
    sent = len(server.requests)
    assert sent == 5 + 3
    server.behaviour = right
    assert share_right(fitted(concurrency=1).predict(ITEMS.examples)) == 1.0
    assert len(server.requests) - sent == len({example.text for example in ITEMS.examples}) - 5


@pytest.mark.parametrize(
    "first",
    [
        failure(429, "rate_limit_exceeded", **{"Retry-After": "0.01"}),
        failure(500),
        failure(503, **{"Retry-After": "soon"}),
        Response(b"<html>gateway</html>", 200),
        Response(b"{", 200),
        Response(b"[]", 200),
        Response(b'{"choices": []}', 200),
        Response(b'{"choices": [{"message": "animal"}]}', 200),
        completion(7),
        Response(b'{"choices": [{"message": {"content": null}}]}'),
        completion(["animal"]),
    ],
    ids=["429", "500", "503", "html", "cut", "list", "empty", "no-message", "number", "null", "parts"],
)
def test_what_passes_is_asked_again(first: Response, server: ChatServer) -> None:
    server.behaviour = lambda number, messages: right(number, messages) if number else first
    service = fitted()
    assert share_right(service.predict(ITEMS.examples[:1])) == 1.0
    assert (len(server.requests), usage(service)["requests"]) == (2, 2)


def test_a_slow_server_is_given_up_and_asked_again(server: ChatServer) -> None:
    slow = Response(completion("animal").body, delay=0.6)
    server.behaviour = lambda number, messages: right(number, messages) if number else slow
    assert share_right(fitted(timeout=0.2).predict(ITEMS.examples[:1])) == 1.0
    server.behaviour = lambda number, messages: slow
    with pytest.raises(EndpointError, match=r"no answer within 0.2 seconds, 1 attempts"):
        fitted(timeout=0.2, retries=0).predict(ITEMS.examples[3:4])


def test_a_server_that_is_down_is_one_line_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/secret-path")
    with pytest.raises(EndpointError, match=r"^the endpoint gives no answer \(no connection, 3 attempts\)") as raised:
        fitted().predict(ITEMS.examples)
    assert "secret-path" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "invalid_api_key", "refuses requests (HTTP 401, invalid_api_key); check OPENAI_API_KEY"),
        (404, "model_not_found", "refuses requests (HTTP 404, model_not_found); check --set model="),
        (400, f"{KEY}", "refuses requests (HTTP 400); check --set model="),
        (400, "unsupported_value", "refuses requests (HTTP 400, unsupported_value); leave it to the model: --set temp"),
        (429, "insufficient_quota", "refuses requests (HTTP 429, insufficient_quota); check"),
    ],
)
def test_a_refusal_of_all_requests_stops_at_once(status: int, code: str, message: str, server: ChatServer) -> None:
    refused = {"code": code, "message": f"Incorrect API key provided: {KEY}", "param": "temperature"}
    server.behaviour = lambda number, messages: Response(json.dumps({"error": refused}).encode(), status)
    with pytest.raises(EndpointError) as raised:
        fitted(concurrency=1).predict(ITEMS.examples)
    assert message in str(raised.value)
    assert KEY not in str(raised.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("odd", "refused", "shown"),
    [
        (completion("\u10ea\u10ee\u10dd\u10d5\u10d4\u10da\u10d8"), 0, ["\u10ea\u10ee\u10dd\u10d5\u10d4\u10da\u10d8"]),
        (completion(""), 0, [""]),
        (completion(None), 0, [""]),
        (completion("x" * 500), 0, ["x" * 100]),
        (failure(400, "context_length_exceeded"), 1, []),
        (failure(400, "content_filter"), 1, []),
        (Response(json.dumps(VLLM).encode(), 400), 1, []),
        (Response(json.dumps({"error": VLLM}).encode(), 400), 1, []),
        (Response(json.dumps({"error": LLAMA_CPP}).encode(), 400), 1, []),
    ],
    ids=["another-language", "nothing", "null", "long", "too-long", "filtered", "old-vllm", "vllm", "llama.cpp"],
)
def test_an_answer_without_a_class_abstains_and_the_others_go_on(
    odd: Response, refused: int, shown: Sequence[str], server: ChatServer
) -> None:
    server.behaviour = lambda number, messages: odd if number == 0 else right(number, messages)
    service = fitted(concurrency=1)
    scores = service.predict(ITEMS.examples)
    assert np.isnan(scores[0]).all()
    assert share_right(scores) == 1.0
    told = usage(service)
    same_text = sum(example.text == ITEMS.examples[0].text for example in ITEMS.examples)
    assert (told["abstained"], told["refused"], told["unread_answers"]) == (same_text, refused * same_text, shown)


def test_lies_about_tokens_are_no_counts(server: ChatServer) -> None:
    for number, wrong in enumerate((-5, "many", None, 2.5, True)):
        server.behaviour = lambda number, messages, wrong=wrong: completion("animal", wrong, 2)  # type: ignore[misc]
        service = fitted(max_cost=1.0, prompt_price=1.0, answer_price=1.0)
        service.predict(ITEMS.examples[number : number + 1])
        assert (usage(service)["without_token_counts"], usage(service)["prompt_tokens"]) == (1, 0)


def test_limits_are_kept_and_a_greater_one_goes_on(server: ChatServer) -> None:
    with pytest.raises(EndpointError, match="max_requests=4 is reached"):
        fitted(max_requests=4).predict(ITEMS.examples)
    assert len(server.requests) == 4
    with pytest.raises(EndpointError, match="max_cost"):
        fitted(max_cost=1e-9, prompt_price=1.0, answer_price=1.0).predict(ITEMS.examples)
    assert len(server.requests) == 4
    fitted(max_requests=20).predict(ITEMS.examples)
    assert len(server.requests) == len({example.text for example in ITEMS.examples})


def test_no_more_requests_at_a_time_than_asked_for(server: ChatServer) -> None:
    server.behaviour = lambda number, messages: Response(right(number, messages).body, delay=0.02)
    fitted(concurrency=3).predict(ITEMS.examples)
    assert server.most == 3


def test_what_is_missing_is_told_before_anything_is_asked(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "no address")
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL is no address of an endpoint"):
        fitted()
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="no OPENAI_API_KEY in the environment; export it"):
        fitted()
    assert server.requests == []


def test_requests_keep_the_pace_and_a_failure_ends_the_waiting(server: ChatServer) -> None:
    began = time.monotonic()
    fitted(requests_per_minute=600.0).predict(ITEMS.examples[:3])
    assert time.monotonic() - began > 0.19
    server.behaviour = lambda number, messages: failure(401)
    with pytest.raises(EndpointError, match="HTTP 401"):  # the others would have waited for a minute and more
        fitted(requests_per_minute=1.0).predict(ITEMS.examples[3:])


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_asked(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = fitted()
    (tmp_path / "occupied").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "occupied"))
    with pytest.raises(ConfigError, match=r"answers cannot be kept in .*; give another folder for caches"):
        fitted()
    with pytest.raises(EndpointError, match="answers cannot be kept in"):  # it became so meanwhile
        service.predict(ITEMS.examples)
    assert len(server.requests) <= 4  # those that were under way


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_cost": 1.0}, "max_cost=1 needs prices"),
        ({"concurrency": 0}, "concurrency, timeout, .* must be above 0"),
        ({"retries": -1}, "must not be negative"),
        ({"temperature": -1.0}, "must not be negative"),
        ({"demonstrations": -1}, "a prompt needs demonstrations >= 0"),
        ({"template": "clases"}, "no template 'clases'; did you mean 'classes'"),
        ({"rule": "first"}, "no rule 'first'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PromptedEndpoint(**settings)


def test_a_refusal_in_words_is_an_answer() -> None:
    body = '{"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "I cannot"}}]}'
    assert read_reply(body).text == ""


def test_answers_without_words_are_kept_and_counted_as_cut_off(server: ChatServer) -> None:
    """A model that thinks until its tokens are used up is paid once."""
    choice = {"finish_reason": "length", "message": {"content": None}}
    server.behaviour = lambda number, messages: Response(json.dumps({"choices": [choice]}).encode())
    for requests, from_cache in ((1, 0), (0, 1)):
        service = fitted()
        assert np.isnan(service.predict(ITEMS.examples[:1])).all()
        report = usage(service)
        assert (report["cut_off"], report["requests"], report["from_cache"]) == (1, requests, from_cache)
    assert len(server.requests) == 1


def test_a_server_that_repeats_key_and_address_cannot_have_them_stored(server: ChatServer, tmp_path: Path) -> None:
    def echo(number: int, messages: Messages) -> Response:
        plain = json.loads(completion(f"I saw Bearer {KEY} at {server.address}/chat").body)
        return Response(json.dumps({**plain, "model": f"{KEY} {server.address} {'m' * 500}"}).encode())

    server.behaviour = echo
    service = fitted()
    service.predict(ITEMS.examples[:1])
    report = usage(service)
    assert report["unread_answers"] == ["I saw Bearer [removed] at [removed]/chat"]
    assert [len(name) for name in report["answered_by"]] == [100]
    kept = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert len(kept) == 1
    assert all(secret not in text for text in (*kept, str(report)) for secret in (KEY, server.address))


def test_a_short_key_of_a_server_without_keys_spoils_no_answer(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a")
    assert share_right(fitted().predict(ITEMS.examples[:1])) == 1.0


def test_the_limits_of_a_command_are_of_all_its_runs(server: ChatServer) -> None:
    method = PromptedEndpoint(**QUICK, max_requests=4)
    services = [method.fit(TRAIN, TRAIN, Context(LABELS, seed, preset_recipe("cldr"))) for seed in range(2)]
    texts = {example.text: example for example in ITEMS.examples}
    examples = list(texts.values())
    services[0].predict(examples[:3])
    with pytest.raises(EndpointError, match=r"max_requests=4 is reached; .* goes on from there and counts anew"):
        services[1].predict(examples[3:])
    assert len(server.requests) == 4
    assert usage(services[0])["requests"] == 3


def test_the_temperature_is_sent_or_left_out_and_asked_for_anew(server: ChatServer) -> None:
    for temperature in (0.0, 0.7, None):
        fitted(temperature=temperature).predict(ITEMS.examples[:1])
    assert [request.get("temperature", "left out") for request in server.requests] == [0.0, 0.7, "left out"]
    assert configure("prompted-endpoint", {"temperature": "none", "model": "m"}).values["temperature"] is None


def test_every_language_is_asked_in(server: ChatServer) -> None:
    service = fitted()
    for code in CODES:
        assert share_right_of(service, code) == 1.0


def share_right_of(service: PromptedService, code: str) -> float:
    items = part(code, "test")
    return float((service.predict(items.examples).argmax(1) == items.gold).mean())
