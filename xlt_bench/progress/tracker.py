"""What goes on in a run: told by Progress calls, read by displays. It draws nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from xlt_bench.method import Activity
from xlt_bench.progress.lines import ProgressLine, counted, duration

_WORTH_A_LINE = 10.0
"""Seconds; quicker predictions leave no line."""


@dataclass
class _Fit:
    """One fit of one seed, as far as it has come. Examples and seconds count from the first step on."""

    name: str
    steps: int = 0
    total: int = 0
    loss: float = 0.0
    dev: float | None = None
    started: float | None = None
    first_step: int = 0
    seconds: float = 0.0
    examples: int = 0

    def step(self, steps: int, total: int, loss: float, examples: int, now: float) -> None:
        """Take note of a step."""
        if self.started is None:
            self.started, self.first_step = now, steps
        else:
            self.examples += (steps - self.steps) * examples
            self.seconds = now - self.started
        self.steps, self.total, self.loss = steps, total, loss

    def line(self) -> ProgressLine:
        """Loss, dev accuracy, examples a second, time left."""
        details = [f"loss {self.loss:.3f}"]
        if self.dev is not None:
            details.append(f"dev {100 * self.dev:.1f}%")
        if self.seconds:
            details.append(f"{self.examples / self.seconds:.0f} ex/s")
        pace = self.seconds / (self.steps - self.first_step) if self.seconds and self.steps > self.first_step else None
        seconds_left = None if pace is None else pace * (self.total - self.steps)
        return ProgressLine(
            f"training {self.name}", self.steps, self.total or None, "step", ", ".join(details), seconds_left
        )


class Display(Protocol):
    """What shows a Tracker; called while the tracker is told something, so quickly."""

    def changed(self) -> None:
        """There is something new among the lines."""

    def evaluated(self, line: ProgressLine) -> None:
        """The dev split was scored in a fit."""

    def fitted(self, line: ProgressLine) -> None:
        """A fit is over."""

    def note(self, text: str) -> None:
        """A line that stays."""


class Tracker:
    """A Progress that remembers: the activity under way, the fits in progress, and which runs are complete.

    Calls may come from one thread and reads from another.

    Args:
        display: what shows it.
        runs: how many runs there will be; 0: they are not counted.
        clock: seconds.
    """

    def __init__(self, display: Display, runs: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._display = display
        self._runs = runs
        self._clock = clock
        self._lock = threading.RLock()
        self._activity: Activity | None = None
        self._began = 0.0
        self._fits: dict[int, _Fit] = {}
        self._fit_subject = ""
        self._complete = 0

    def activity(self, activity: Activity) -> None:
        """What was going on before is over, unless this is the same."""
        with self._lock:
            if activity.name == "training":
                self._fit_subject = activity.subject or self._fit_subject
                activity = replace(activity, subject=self._fit_subject)
            elif not activity.subject:
                activity = replace(activity, subject=self._fit_subject)
            previous = self._activity
            if previous is None or (previous.name, previous.subject) != (activity.name, activity.subject):
                self._close()
                self._began = self._clock()
            self._activity = activity
            if activity.name == "writing":
                self._complete += 1
        self._display.changed()

    def step(self, seed: int, steps: int, total: int, loss: float, examples: int) -> None:
        """Move the seed's fit on; a step before the last one begins a new fit."""
        if self._activity is not None and self._activity.name != "training":
            self.activity(Activity("training"))
        with self._lock:
            fit = self._fits.get(seed)
            if fit is not None and steps < fit.steps:
                self._close_fit(seed)
                fit = None
            fit = fit or self._new_fit(seed)
            fit.step(steps, total, loss, examples, self._clock())
        self._display.changed()

    def evaluated(self, seed: int, steps: int, dev_accuracy: float) -> None:
        """Take note of the dev accuracy."""
        with self._lock:
            fit = self._fits.get(seed) or self._new_fit(seed)
            fit.dev = dev_accuracy
        self._display.evaluated(fit.line())
        self._display.changed()

    def note(self, text: str) -> None:
        """Pass it on."""
        self._display.note(text)

    def lines(self) -> list[ProgressLine]:
        """What goes on now: a line for each fit in progress, or the activity."""
        with self._lock:
            if self._fits:
                return [fit.line() for fit in self._fits.values()]
            return [] if self._activity is None else [self._activity_line(self._activity)]

    def close(self) -> None:
        """Nothing goes on any more."""
        with self._lock:
            self._close()
            self._activity = None

    def _new_fit(self, seed: int) -> _Fit:
        subject = self._fit_subject
        subject = f"seed {seed}" if not subject or subject.startswith("seeds ") else subject
        fit = self._fits[seed] = _Fit(subject + self._place(len(self._fits) + 1, subject))
        return fit

    def _place(self, number: int, subject: str) -> str:
        """Which run of how many; the fits on sources, which several runs share, are none."""
        counts = self._runs > 1 and not subject.startswith("sources")
        return f" ({min(self._complete + number, self._runs)} of {self._runs})" if counts else ""

    def _activity_line(self, activity: Activity) -> ProgressLine:
        seconds = self._clock() - self._began
        details = []
        if activity.items and seconds > 0:
            details.append(f"{activity.items / seconds:,.0f} items/s")
        if activity.total is None and seconds >= 1:
            details.append(f"{duration(seconds)} so far")
        seconds_left = None
        if activity.total and activity.completed and seconds > 0:
            seconds_left = seconds / activity.completed * (activity.total - activity.completed)
        place = self._place(1, activity.subject) if activity.name in ("training", "predicting") else ""
        name = f"{activity.name} {activity.subject}".rstrip() + place
        return ProgressLine(name, activity.completed, activity.total, activity.unit, ", ".join(details), seconds_left)

    def _close(self) -> None:
        for seed in list(self._fits):
            self._close_fit(seed)
        activity = self._activity
        if activity is None or activity.name != "predicting" or activity.completed != activity.total:
            return
        seconds = self._clock() - self._began
        if seconds < _WORTH_A_LINE:
            return
        subject = activity.subject + self._place(1, activity.subject)
        self._display.note(
            f"predicted {subject}: {counted(activity.completed, activity.unit)}, {counted(activity.items, 'item')}, "
            f"{activity.items / seconds:,.0f} items/s, {duration(seconds)}"
        )

    def _close_fit(self, seed: int) -> None:
        self._display.fitted(self._fits.pop(seed).line())
