"""How a run shows how far it is: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars


@dataclass
class _Fit:
    """One fit of one seed, as far as it has come. Examples and seconds count from the first step that was told."""

    number: int
    steps: int = 0
    total: int = 0
    loss: float = 0.0
    dev: float | None = None
    bar: TaskID | None = None
    started: float | None = None
    seconds: float = 0.0
    examples: int = 0

    def step(self, steps: int, total: int, loss: float, examples: int) -> None:
        """Take note of a step."""
        now = time.monotonic()
        if self.started is None:
            self.started = now
        else:
            self.examples += (steps - self.steps) * examples
            self.seconds = now - self.started
        self.steps, self.total, self.loss = steps, total, loss

    def told(self) -> str:
        """Loss, dev accuracy, examples a second."""
        dev = "" if self.dev is None else f" dev {100 * self.dev:.1f}%"
        rate = f" {self.examples / self.seconds:.0f} ex/s" if self.seconds else ""
        return f"loss {self.loss:.3f}{dev}{rate}"


class LiveProgress:
    """A bar for each fit in progress: steps, loss, dev accuracy, examples a second, time left; a line for each before.

    Args:
        console: where to show it.
        label: the method's.
        runs: how many fits there will be.
        pack: how many of them may be in progress at once.
    """

    def __init__(self, console: Console, label: str, runs: int, pack: int = 1) -> None:
        self._console = console
        self._label = label
        self._runs = runs
        self._pack = pack
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._fits: dict[int, _Fit] = {}
        self._begun = 0

    def __enter__(self) -> LiveProgress:
        if self._console.is_terminal and self._runs:
            self._console.print(f"{self._label}:")
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for seed in list(self._fits):
            self._close(seed)
        if self._bars.live.is_started:
            self._bars.stop()

    def step(self, seed: int, steps: int, total: int, loss: float, examples: int) -> None:
        """Move the seed's bar; a step before the last one told begins a new fit."""
        fit = self._fits.get(seed)
        if fit is None or steps < fit.steps:
            fit = self._begin(seed)
        fit.step(steps, total, loss, examples)
        self._show(fit)

    def evaluated(self, seed: int, steps: int, dev_accuracy: float) -> None:
        """Show the dev accuracy; off a terminal, print a line."""
        fit = self._fits.get(seed) or self._begin(seed)
        fit.dev = dev_accuracy
        self._show(fit)
        if fit.bar is None:
            name = f"{self._label} {self._name(seed, fit)}"
            self._console.print(f"{name}: step {steps} of {fit.total}, {fit.told()}")

    def _begin(self, seed: int) -> _Fit:
        self._close(seed)
        for finished in [seed for seed, fit in self._fits.items() if fit.steps >= fit.total]:
            self._close(finished)
        if len(self._fits) >= self._pack:  # it stopped early: no more than a pack is in progress
            self._close(next(iter(self._fits)))
        self._begun += 1
        fit = self._fits[seed] = _Fit(self._begun)
        if self._console.is_terminal:
            fit.bar = self._bars.add_task(self._name(seed, fit), total=None, told="")
        return fit

    def _close(self, seed: int) -> None:
        """Replace the seed's bar with a line, so that the display stays as high as there are fits in progress."""
        fit = self._fits.pop(seed, None)
        if fit is not None and fit.bar is not None:
            self._bars.remove_task(fit.bar)
            self._console.print(f"{self._name(seed, fit)}: step {fit.steps} of {fit.total}, {fit.told()}")

    def _name(self, seed: int, fit: _Fit) -> str:
        return f"seed {seed}" + (f" ({fit.number} of {self._runs})" if self._runs > 1 else "")

    def _show(self, fit: _Fit) -> None:
        if fit.bar is not None:
            self._bars.update(fit.bar, completed=fit.steps, total=fit.total, told=fit.told())
