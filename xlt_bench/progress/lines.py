"""A line of a display: what goes on, how far it is, how long it will take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProgressLine:
    """Something that goes on.

    Attributes:
        name: such as `training seed 0 (1 of 3)`.
        completed, total: units complete, of how many; None: nobody knows.
        unit: what is counted, in the singular.
        details: loss, dev accuracy, rates.
        seconds_left: that it will still take; None: nobody knows.
    """

    name: str
    completed: int
    total: int | None
    unit: str
    details: str
    seconds_left: float | None

    @property
    def position(self) -> str:
        """Such as `step 200 of 400`."""
        return "" if self.total is None else f"{self.unit} {self.completed:,} of {self.total:,}"

    def facts(self, with_time_left: bool = True) -> str:
        """All but the name."""
        time_left = f"{duration(self.seconds_left)} left" if with_time_left and self.seconds_left else ""
        return ", ".join(fact for fact in (self.position, self.details, time_left) if fact)

    def text(self, with_time_left: bool = True) -> str:
        """All of it."""
        facts = self.facts(with_time_left)
        return f"{self.name}: {facts}" if facts else self.name


def duration(seconds: float) -> str:
    """Such as `8 s`, `2:05 min`, `3:10 h`."""
    whole_seconds = round(seconds)
    if whole_seconds < 60:
        return f"{whole_seconds} s"
    minutes = whole_seconds // 60
    if minutes < 60:
        return f"{minutes}:{whole_seconds % 60:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def counted(number: int, noun: str) -> str:
    """Such as `1 run`, `1,204 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
