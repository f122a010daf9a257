"""What a search tells: every trial, the best one with its standard error, and the command that runs it."""

from __future__ import annotations

import shlex
from dataclasses import fields

from rich.table import Table
from rich.text import Text

from xlt_bench.io.texts import clean
from xlt_bench.runs.request import Request
from xlt_bench.tuning.scores import Score
from xlt_bench.tuning.search import Search, Tuned
from xlt_bench.tuning.space import REACH, options_of
from xlt_bench.tuning.trial import Trial

_OPTIONS = {"data_dir": "data-dir", "groups_file": "groups"}
_ELSEWHERE = ("method", "settings", "resources", "rate_factors", "tuning", "rerun", "save_weights", "protocol", "shots")


def announcement(search: Search) -> str:
    """What a search is about to do."""
    planned = search.planned[-1]
    setup, cells = planned.experiment.setup, planned.experiment.cells
    count = len(search.planned)
    stored = count * len(cells) - search.missing
    return (
        f"{search.label} on {setup.task.name}: {count} trials of {_space(search, planned.trial)}; "
        f"fit on {len(cells[0].sources)} languages "
        f"({setup.sources_label}), judged on their dev split, no target\n{count * len(cells)} fits"
        + (f"; {stored} already in the store" if stored else "")
    )


def _space(search: Search, trial: Trial) -> str:
    """What is tuned, and between which values."""
    factors = [name for name in trial.point if name not in search.choices]
    parts = [f"{name} ({' or '.join(values)})" for name, values in search.choices.items()]
    if factors:
        parts.insert(0, f"{', '.join(factors)}, from 1/{REACH:g} to {REACH:g} times the default")
    return "; ".join(parts)


def line(trial: Trial, count: int) -> str:
    """One trial that is done, of so many."""
    result = f"source dev {_percent(trial.score)}" if trial.score else f"failed: {clean(trial.failed or '')}"
    return f"trial {trial.number} of {count - 1}, {trial.description}: {result}"


def table(tuned: Tuned) -> Table:
    """All trials; accuracy in per cent."""
    grid = Table(header_style="bold")
    for column in ("trial", "setting", "source dev", "std. error"):
        grid.add_column(column, overflow="fold", justify="left" if column == "setting" else "right")
    for trial in tuned.trials:
        failure = "" if trial.failed is None else f"; failed: {clean(trial.failed)}"
        setting = trial.description + failure + (" (best)" if trial is tuned.best else "")
        score = trial.score
        texts = (str(trial.number), setting, _percent(score), _points(score.error if score else None))
        grid.add_row(*map(Text, texts))
    return grid


def conclusion(tuned: Tuned) -> str:
    """Which trial is best, and what that is worth."""
    best, gain = tuned.best, tuned.gain
    assert best.score is not None, "a trial that failed is not the best one"
    items = len(best.fits[0].items)
    sentence = f"Best on source dev: trial {best.number} ({best.description}), {_percent(best.score)}"
    if best.score.error is not None:
        sentence += f", standard error {_points(best.score.error)} over {items} items"
    if len({fit.correct.tobytes() for trial in tuned.trials for fit in trial.fits}) == len(best.fits):
        return f"{sentence}: no setting changed a single answer, so the method may not use what is tuned."
    if best.number == 0:
        return f"{sentence}: no other setting was better."
    if gain is None:
        return f"{sentence}; the default failed."
    sentence += f"; {_points(gain.accuracy)} above the default"
    if gain.error is None:
        return f"{sentence}."
    noise = gain.accuracy < 2 * gain.error
    return f"{sentence}, standard error {_points(gain.error)}" + (": no more than noise may give." if noise else ".")


def command(request: Request) -> str:
    """The `xlt-bench run` that does the same without being marked as tuned."""
    words = ["xlt-bench", "run", "--method", request.method]
    for field in fields(Request):
        value = getattr(request, field.name)
        if field.name not in _ELSEWHERE and value is not None and value != field.default:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [f"--{_OPTIONS.get(field.name, field.name).replace('_', '-')}", text]
    resources = [word for name, path in request.resources.items() for word in ("--resource", f"{name}={path}")]
    return shlex.join([*words, *resources, *options_of(request)])


def _percent(score: Score | None) -> str:
    return "" if score is None else f"{100 * score.accuracy:.1f}%"


def _points(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
