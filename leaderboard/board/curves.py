"""What the page's curves are drawn from: source-dev accuracy while training, and places on a few-shot curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xlt_bench.leaderboard.board.detail import DevCurve, FewShotPoint
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.records.labels import derived_label
from xlt_bench.records.record import Record

MOST_POINTS = 40
"""Of one run's curve; of longer ones evenly spread points are kept, the last one among them."""


def dev_curves(entry: Entry) -> tuple[DevCurve, ...]:
    """A curve for each seed whose run wrote a history; none where each target is a run of its own."""
    if entry.first.cell.learns_target:
        return ()
    curves = (_dev_curve(record) for record in entry.records if record.complete)
    return tuple(curve for curve in curves if curve is not None)


def few_shot_point(entry: Entry) -> FewShotPoint | None:
    """Where the row stands; None where no examples of the target are learned from."""
    record, cell = entry.first, entry.first.cell
    if record.setting or not cell.learns_target:
        return None
    series = replace(cell, shots=None)
    name = f"{derived_label(series, record.label, record.defaults)} ({entry.sources})"
    return FewShotPoint(series.configuration, name, cell.shots)


def _dev_curve(record: Record) -> DevCurve | None:
    """A history is a method's own words: what is no curve is left out."""
    history = record.fit.get("history")
    if not isinstance(history, Sequence) or not all(map(_is_point, history)):
        return None
    points = _thinned([(point["step"], float(point["dev_accuracy"])) for point in history])
    if len(points) < 2:
        return None
    selected = record.fit.get("selected_step")
    return DevCurve(
        seed=record.cell.seed,
        steps=tuple(step for step, _ in points),
        accuracy=tuple(accuracy for _, accuracy in points),
        selected=selected if isinstance(selected, int) else None,
    )


def _is_point(point: Any) -> bool:
    if not isinstance(point, Mapping):
        return False
    step, accuracy = point.get("step"), point.get("dev_accuracy")
    return isinstance(step, int) and isinstance(accuracy, float | int) and 0.0 <= accuracy <= 1.0


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= MOST_POINTS:
        return list(points)
    last = len(points) - 1
    return [points[round(number * last / (MOST_POINTS - 1))] for number in range(MOST_POINTS)]
