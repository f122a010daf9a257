"""An OpenAI-compatible endpoint on this machine that behaves as a test tells it, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-secret-of-the-tests-0123456789"


@dataclass(frozen=True)
class Response:
    """What the server sends, and after how many seconds."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


def completion(text: object, prompt_tokens: object = 100, answer_tokens: object = 2) -> Response:
    """A chat completion as it should be, unless the arguments are none that could be."""
    plain = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny-chat-2026",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens, "total_tokens": 102},
    }
    return Response(json.dumps(plain).encode())


def failure(status: int, code: str | None = None, **headers: str) -> Response:
    """An error as OpenAI's servers tell it, which repeats the key as some do."""
    error = {"message": f"Incorrect API key provided: {KEY}", "type": "invalid_request_error", "code": code}
    return Response(json.dumps({"error": error}).encode(), status, headers)


Messages = Sequence[Mapping[str, str]]
Behaviour = Callable[[int, Messages], Response]
"""From the number of a request, from 0 on, and its messages, to a response."""


@dataclass
class ChatServer:
    """What it was asked.

    Attributes:
        address: for OPENAI_BASE_URL.
        requests: bodies, in the order of their coming.
        keys: of the headers.
        most: requests that were under way at a time.
    """

    behaviour: Behaviour
    address: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    most: int = 0


@contextmanager
def chat_server(behaviour: Behaviour) -> Iterator[ChatServer]:
    """Serve for as long as the block runs; the behaviour may be changed meanwhile."""
    server = ChatServer(behaviour)
    lock, under_way = threading.Lock(), [0]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(server.requests)
                server.requests.append(body)
                server.keys.add(self.headers["Authorization"])
                under_way[0] += 1
                server.most = max(server.most, under_way[0])
            try:
                response = server.behaviour(number, body["messages"])
                time.sleep(response.delay)
            finally:
                with lock:
                    under_way[0] -= 1
            self.send_response(response.status)
            for name, value in {"Content-Type": "application/json", **response.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # the client waited no longer
                super().handle()

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.address = f"http://127.0.0.1:{listener.server_port}/v1"
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
