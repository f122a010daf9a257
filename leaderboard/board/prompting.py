"""What a reader must know of a prompted row: the model, the template, and what its answers took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.prompting.reading import USAGE
from xlt_bench.records.record import Record


def prompting_notes(entry: Entry) -> Iterator[str]:
    """A sentence of a prompted row, with means over its runs; nothing of other rows."""
    cell = entry.first.cell
    runs = [record for record in entry.records if record.complete]
    if cell.prompt is None or not runs:
        return
    parts = [
        f"model {cell.prompt.get('model') or Path(cell.backbone).name}",
        f"template {cell.hyperparameters.get('template', 'not named')}",
        f"{cell.prompt['demonstrations']} demonstrations",
        f"{_mean(runs, 'prompt_tokens'):,.0f} tokens of prompts and {_mean(runs, 'answer_tokens'):,.0f} of answers",
        f"{fmean(record.timing.get('predict_seconds', 0.0) for record in runs):,.0f} s",
    ]
    if cut_off := _mean(runs, "cut_off"):
        parts.append(f"{cut_off:,.0f} answers cut off by the limit of tokens (raise answer_tokens)")
    costs = [cost for record in runs if isinstance(cost := _usage(record).get("cost"), int | float)]
    if costs:
        parts.append(f"cost {fmean(costs):.4g}")
    yield f"Prompted: {', '.join(parts)}{' a run' if len(runs) > 1 else ''}."


def _usage(record: Record) -> dict[str, Any]:
    """What a Record tells of its answers; empty where it tells nothing that can be read."""
    report = record.fit.get("report")
    usage = report.get(USAGE) if isinstance(report, dict) else None
    return usage if isinstance(usage, dict) else {}


def _mean(runs: Sequence[Record], name: str) -> float:
    """Of a number of the answers' usage, over the runs that tell it; 0 where none does."""
    return fmean([value for record in runs if isinstance(value := _usage(record).get(name), int | float)] or [0.0])
