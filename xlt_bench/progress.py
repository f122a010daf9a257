"""How a run shows how far it is: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


class LiveProgress:
    """One bar a run in training: steps, loss, dev accuracy, examples a second, time left."""

    def __init__(self, console: Console, label: str, runs: int) -> None:
        self._console = console
        self._label = label
        self._live = console.is_terminal
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            transient=False,
        )
        self._tasks: dict[int, TaskID] = {}
        self._started: dict[int, float] = {}
        self._examples: dict[int, int] = {}
        self._steps: dict[int, int] = {}
        self._dev: dict[int, float] = {}
        self._total = runs

    def __enter__(self) -> LiveProgress:
        if self._live:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bars.stop()

    def step(self, seed: int, done: int, total: int, loss: float, examples: int) -> None:
        """Move the seed's bar."""
        now = time.monotonic()
        if seed not in self._started or done < self._steps[seed]:
            self._begin(seed, total, now)
        self._examples[seed] += (done - self._steps[seed]) * examples
        self._steps[seed] = done
        if self._live:
            rate = self._examples[seed] / max(now - self._started[seed], 1e-6)
            dev = f"  dev {100 * self._dev[seed]:.1f}%" if seed in self._dev else ""
            self._bars.update(self._tasks[seed], completed=done, told=f"loss {loss:.3f}{dev}  {rate:.0f} examples/s")

    def evaluated(self, seed: int, done: int, dev_accuracy: float) -> None:
        """Show the dev accuracy; off a terminal, print a line."""
        self._dev[seed] = dev_accuracy
        if not self._live:
            self._console.print(
                f"{self._label} seed {seed}: step {done}, dev accuracy {100 * dev_accuracy:.1f}%", highlight=False
            )

    def _begin(self, seed: int, total: int, now: float) -> None:
        self._started[seed], self._examples[seed], self._steps[seed] = now, 0, 0
        self._dev.pop(seed, None)
        if self._live:
            at = f" ({len(self._tasks) + 1} of {self._total})" if self._total > 1 else ""
            self._tasks[seed] = self._bars.add_task(f"{self._label} seed {seed}{at}", total=total, told="")
