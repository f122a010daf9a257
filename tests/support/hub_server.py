"""A stand-in of the Hugging Face hub on this machine: one data set at one commit, over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse


@dataclass
class StandIn:
    """Where it listens, and which paths were asked for."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def hub_server(root: Path, name: str, revision: str) -> Iterator[StandIn]:
    """Serve the files of a folder as the data set `name` at a commit, for as long as the block runs."""
    files = {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    stand_in = StandIn("")

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlparse(self.path).path)
            stand_in.asked.append(path)
            file = path.removeprefix(f"/datasets/{name}/resolve/{revision}/")
            if path == f"/api/datasets/{name}/revision/{revision}":
                listed = [{"rfilename": file} for file in files]
                facts = {"id": name, "sha": revision, "private": False, "tags": [], "siblings": listed}
                self.answer(json.dumps(facts).encode())
            elif path.startswith(f"/api/datasets/{name}/tree/{revision}"):
                entries = [
                    {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for file, content in files.items()
                ]
                self.answer(json.dumps(entries).encode())
            elif file in files:
                self.answer(
                    files[file], {"ETag": f'"{hashlib.sha1(files[file]).hexdigest()}"', "X-Repo-Commit": revision}
                )
            else:
                self.answer(b"", {"X-Error-Code": "EntryNotFound"}, 404)

        def answer(self, content: bytes, headers: dict[str, str] | None = None, code: int = 200) -> None:
            self.send_response(code)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
