"""What a search tells: every trial, the best one with its standard error, and the command that runs it."""

from __future__ import annotations

import shlex
from dataclasses import fields

from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.runs.request import Request
from xlt_bench.tuning.answers import Score
from xlt_bench.tuning.search import Search, Trial, Tuned
from xlt_bench.tuning.space import REACH, options_of

_OPTIONS = {"data_dir": "data-dir", "groups_file": "groups"}
_ELSEWHERE = ("method", "settings", "rate_factors", "tuning", "rerun", "save_weights", "protocol", "shots")


def announcement(found: Search) -> str:
    """What a search is about to do."""
    trial, experiment = found.planned[-1]
    job, cells = experiment.job, experiment.cells
    count = len(found.planned)
    held = count * len(cells) - found.missing
    return (
        f"{found.label} on {job.task.name}: {count} trials of {', '.join(trial.factors)}, each from 1/{REACH:g} to "
        f"{REACH:g} times the default; fit on {len(cells[0].sources)} languages ({job.sources_label}), judged on their "
        f"dev split, no target\n{count * len(cells)} fits" + (f"; {held} already in the store" if held else "")
    )


def line(trial: Trial, of: int) -> str:
    """One trial that is done."""
    result = f"source dev {_percent(trial.score)}" if trial.score else f"failed: {clean(trial.failed or '')}"
    return f"trial {trial.number} of {of - 1}, {trial.told()}: {result}"


def table(found: Tuned) -> Table:
    """All trials; accuracy in per cent."""
    shown = Table(header_style="bold")
    for column in ("trial", "setting", "source dev", "std. error"):
        shown.add_column(column, overflow="fold", justify="left" if column == "setting" else "right")
    for trial in found.trials:
        told = trial.told() if trial.failed is None else f"{trial.told()}; failed: {clean(trial.failed)}"
        best = " (best)" if trial is found.best else ""
        score = trial.score
        cells = (str(trial.number), told + best, _percent(score), _points(score.error if score else None))
        shown.add_row(*map(Text, cells))
    return shown


def conclusion(found: Tuned) -> str:
    """Which trial is best, and what that is worth."""
    best, gain = found.best, found.gain
    assert best.score is not None, "a trial that failed is not the best one"
    items = len(best.fits[0].items)
    told = f"Best on source dev: trial {best.number} ({best.told()}), {_percent(best.score)}"
    told += f", standard error {_points(best.score.error)} over {items} items" if best.score.error is not None else ""
    if len({fit.right.tobytes() for trial in found.trials for fit in trial.fits}) == len(best.fits):
        return f"{told}: no setting changed a single answer, so the method may not use what is tuned."
    if best.number == 0:
        return f"{told}: no other setting was better."
    if gain is None:
        return f"{told}; the default failed."
    told += f"; {_points(gain.accuracy)} above the default"
    if gain.error is None:
        return f"{told}."
    noise = gain.accuracy < 2 * gain.error
    return f"{told}, standard error {_points(gain.error)}" + (": no more than noise may give." if noise else ".")


def command(request: Request) -> str:
    """The `xlt-bench run` that does the same without being marked as tuned."""
    told = ["xlt-bench", "run", "--method", request.method]
    for field in fields(Request):
        value = getattr(request, field.name)
        if field.name not in _ELSEWHERE and value is not None and value != field.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            told += [f"--{_OPTIONS.get(field.name, field.name).replace('_', '-')}", shown]
    return shlex.join([*told, *options_of(request)])


def _percent(score: Score | None) -> str:
    return "" if score is None else f"{100 * score.accuracy:.1f}%"


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
