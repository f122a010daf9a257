"""Headless Chromium, driven over the two pipes of its DevTools protocol: JSON messages that end in NUL."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BINARIES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """The first browser of this kind on the path."""
    return next((path for name in BINARIES if (path := shutil.which(name))), None)


class Browser:
    """One page of a running browser.

    Attributes:
        events: everything that the browser has reported on its own.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in = to_browser, from_browser
        self._buffer = b""
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def attach(self) -> None:
        """Open a page and listen to its requests and its errors."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and wait for its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self, patience: float = 120.0) -> dict[str, Any]:
        end = time.monotonic() + patience
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            chunk = os.read(self._in, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser has ended")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, path: Path, width: int = 1280, height: int = 900, *, state: str = "", **media: str) -> None:
        """Load a file at this size.

        Args:
            state: what follows # in the address.
            media: features such as `prefers_color_scheme="dark"`.
        """
        self.events.clear()
        self.resize(width, height)
        self.emulate("", **media)
        self.send("Page.navigate", url="about:blank")  # an address that differs in its state alone would load nothing
        self._wait_for_load()
        self.events.clear()
        self.send("Page.navigate", url=path.as_uri() + (f"#{state}" if state else ""))
        self._wait_for_load()

    def _wait_for_load(self) -> None:
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window in CSS pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def emulate(self, medium: str, **media: str) -> None:
        """Emulate a medium (`print`, or the empty text for the screen) and media features."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.send("Emulation.setEmulatedMedia", media=medium, features=features)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "", shift: bool = False) -> None:
        """Press a key for real, with its default action."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def choose(self, control: str, value: str) -> None:
        """Set a control as a user does; a checkbox is checked by any text."""
        self.run(
            f"(() => {{ const c = document.querySelector({json.dumps(control)}), v = {json.dumps(value)};"
            " if (c.type === 'checkbox') c.checked = v !== ''; else c.value = v;"
            " c.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )

    def text(self, selector: str) -> str:
        """The text of the first element that answers to a selector."""
        content: str = self.run(f"document.querySelector({json.dumps(selector)}).textContent")
        return content

    def texts(self, selector: str) -> list[str]:
        """The texts of all visible elements that answer to a selector."""
        contents: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].filter((n) => n.getClientRects().length)"
            ".map((n) => n.textContent)"
        )
        return contents

    def count(self, selector: str) -> int:
        """How many elements answer to a selector."""
        number: int = self.run(f"document.querySelectorAll({json.dumps(selector)}).length")
        return number

    def save_downloads(self, folder: Path) -> None:
        """Files that the page offers from now on are written here, without a question."""
        self.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def requests(self) -> list[str]:
        """Addresses that the page has asked for since it was opened."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def errors(self) -> list[str]:
        """What the page has thrown, and what its console or its policy has complained about."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event["params"]) for event in self.events if event.get("method") in kinds]


@contextmanager
def running(binary: str, profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, ended afterwards."""
    commands, answers = os.pipe(), os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (*commands, *answers)]
    for end in (*commands, *answers):
        os.close(end)
    read_commands, to_browser, from_browser, write_answers = ends

    def pipes() -> None:
        os.dup2(read_commands, 3)
        os.dup2(write_answers, 4)

    process = subprocess.Popen(
        [binary, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=pipes,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_answers)
    try:
        browser = Browser(to_browser, from_browser)
        browser.attach()
        yield browser
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(to_browser)
        os.close(from_browser)
