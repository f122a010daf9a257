"""What a worker says on its standard output, a line of JSON each: Records that it made, what it is doing, and notes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from xlt_bench.method import Activity, Silent
from xlt_bench.records.record import Record

_SECONDS = 5.0
"""Between two lines of what a worker is doing."""


@dataclass(frozen=True)
class Answer:
    """One line: the fingerprint of a Record and its status, what the worker is doing, or a note for its user."""

    fingerprint: str = ""
    status: str = ""
    doing: str = ""
    note: str = ""

    @property
    def line(self) -> str:
        """As it is printed."""
        facts = {"fingerprint": self.fingerprint, "status": self.status, "doing": self.doing, "note": self.note}
        return json.dumps({name: fact for name, fact in facts.items() if fact})

    @staticmethod
    def from_line(line: str) -> Answer:
        """The inverse of `line`; a line of anything else says nothing."""
        try:
            return Answer(**json.loads(line))
        except (ValueError, TypeError):
            return Answer()


class Speaker(Silent):
    """A Progress that prints notes, and what goes on at most every few seconds.

    Where nobody reads any more, the process stops itself as by SIGTERM: a method that calls this is not at fault.

    Args:
        stream: where to.
        seconds: between two lines.
        clock: seconds.
    """

    def __init__(self, stream: TextIO, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._seconds = seconds
        self._clock = clock
        self._spoke = clock()

    def activity(self, activity: Activity) -> None:
        """Say it."""
        count = "" if activity.total is None else f" {activity.completed} of {activity.total}"
        self._say(f"{activity.name} {activity.subject}{count}".strip())

    def step(self, seed: int, steps: int, total: int, loss: float, examples: int) -> None:
        """Say it."""
        self._say(f"seed {seed}, step {steps} of {total}")

    def note(self, text: str) -> None:
        """Say it at once."""
        self._print(Answer(note=text))

    def answer(self, record: Record) -> None:
        """Say at once that a Record lies in the store."""
        self._print(Answer(record.cell.fingerprint, record.status))

    def _say(self, doing: str) -> None:
        if self._clock() - self._spoke >= self._seconds:
            self._spoke = self._clock()
            self._print(Answer(doing=doing))

    def _print(self, answer: Answer) -> None:
        try:
            print(answer.line, file=self._stream, flush=True)
        except OSError:
            signal.raise_signal(signal.SIGTERM)


def complaint(log: str) -> str:
    """The last line of what a worker wrote to its standard error, its own errors before others; empty without any."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]
