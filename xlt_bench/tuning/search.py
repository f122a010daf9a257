"""The search: trials are carried out like any other cells, in a store aside; the best on source dev is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xlt_bench.engines import Engine, Waiting, wait_silently
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import WithLanguageCheck
from xlt_bench.plugins.methods import configure
from xlt_bench.records.store import Store
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request, check_reported_seeds
from xlt_bench.tuning.scores import Score, difference
from xlt_bench.tuning.space import REACH, choices_of, dimensions, options_of, point, request_of
from xlt_bench.tuning.trial import FIRST_SEED, STORE, PlannedTrial, Trial, fits_of, trial_cell

_MOST_TRIALS = 1000


@dataclass(frozen=True)
class Search:
    """A checked search: nothing has run yet.

    Attributes:
        label: the method's.
        planned: the trials in their order.
        choices: of what is tuned and is one of some values: the values.
    """

    label: str
    planned: tuple[PlannedTrial, ...]
    choices: Mapping[str, tuple[str, ...]]

    @property
    def store(self) -> Path:
        """Folder of the trials' Records."""
        return self.planned[0].experiment.setup.store.folder

    @property
    def missing(self) -> int:
        """How many fits are still to be made."""
        return sum(len(planned.experiment.remaining().cells) for planned in self.planned)


@dataclass(frozen=True)
class Tuned:
    """A search that is done.

    Attributes:
        trials: all of them, in their order.
        best: the one with the highest score, the first of equals.
        choices: as of the search.
    """

    trials: tuple[Trial, ...]
    best: Trial
    choices: Mapping[str, tuple[str, ...]]

    @property
    def gain(self) -> Score | None:
        """How much the best is above the default, items paired; None where the default failed."""
        default = self.trials[0]
        return difference(self.best.fits, default.fits) if default.fits else None

    def request(self) -> Request:
        """What to run: the best setting, marked as tuned and with its provenance."""
        return replace(self.best.request, tuning=self.provenance())

    def provenance(self) -> dict[str, Any]:
        """What a Record keeps of the search."""
        results = [
            {
                "trial": trial.number,
                "point": dict(trial.point),
                "accuracy": trial.score.accuracy if trial.score else None,
                "standard_error": trial.score.error if trial.score else None,
                "failed": trial.failed,
            }
            for trial in self.trials
        ]
        return {
            "trials": len(self.trials),
            "chosen": self.best.number,
            "selected_on": "source dev",
            "seeds": [FIRST_SEED + place for place in range(max(len(trial.fits) for trial in self.trials))],
            "space": {name: list(self.choices.get(name, (1 / REACH, REACH))) for name in self.best.point},
            "options": options_of(self.best.request),
            "results": results,
        }


def prepare_search(request: Request, trials: int, seeds: int = 1, loader: Loader | None = None) -> Search:
    """Check a search, load the task, and list its trials. Nothing is trained.

    Args:
        request: of the run that is to be tuned.
        trials: settings to try, the default one among them.
        seeds: fits a trial.
        loader: that of other experiments.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    _check(request, trials, seeds)
    configured = configure(request.method, request.settings)
    names, texts = dimensions(configured), choices_of(configured)
    loader = loader or Loader()
    aside = Store(request.store).aside(STORE)
    planned = []
    for number in range(trials):
        chosen = point(number, names, texts)
        trial_request = request_of(request, configured, chosen)
        experiment = prepare(fits_of(trial_request, seeds), loader)
        cells = [trial_cell(cell) for cell in experiment.cells]
        if isinstance(configured.method, WithLanguageCheck):
            configured.method.check_languages(cells[0].sources, cells[0].targets)
        planned.append(
            PlannedTrial(Trial(number, chosen, trial_request), experiment.derived(cells, aside, request.rerun))
        )
    Store(request.store).check_writable()
    tuned_choices = {name: texts[name] for name in names if name in texts}
    return Search(configured.label, tuple(planned), tuned_choices)


def _check(request: Request, trials: int, seeds: int) -> None:
    """Refuse numbers that cannot be, runs without source dev, and seeds that trials have."""
    if not 2 <= trials <= _MOST_TRIALS:
        raise ConfigError(
            f"--trials must lie between 2 (the default and another setting) and {_MOST_TRIALS}, not {trials}"
        )
    if seeds < 1:
        raise ConfigError(f"--trial-seeds must be at least 1, not {seeds}")
    if not request.has_sources:
        raise ConfigError("tuning selects on source dev, and --sources none has none; give sources")
    check_reported_seeds(request)


def begin(planned_search: Search, engine: Engine) -> None:
    """Make or submit the trials that are missing and nobody works on, without waiting for any."""
    for planned in planned_search.planned:
        for _ in engine.carry_out(planned.experiment.remaining(), None):
            pass


def search(
    planned_search: Search,
    engine: Engine,
    report: Callable[[Trial], None] = lambda trial: None,
    waiting: Waiting = wait_silently,
) -> Tuned:
    """Make the trials that are missing; what is made is kept, so that a search that is stopped goes on from there.

    Args:
        planned_search: from `prepare_search`.
        engine: carries them out; what other processes work on comes last and is waited for.
        report: is given each trial when it is done.
        waiting: see `Waiting`.

    Raises:
        MethodError: every trial failed.
    """
    results: dict[int, Trial] = {}
    for last in (False, True):
        for planned in planned_search.planned:
            number = planned.trial.number
            if number in results:
                continue
            for _ in engine.carry_out(planned.experiment.remaining(), waiting if last else None):
                pass  # Records are read from the store, where other processes put theirs too
            result = planned.result()
            if result is not None:
                results[number] = result
                report(result)
    trials = tuple(results[number] for number in sorted(results))
    scores = {trial.number: trial.score.accuracy for trial in trials if trial.score}
    if not scores:
        raise MethodError(
            f"all {len(trials)} trials of {planned_search.label} failed, the first with: {trials[0].failed}"
        )
    return Tuned(trials, results[max(scores, key=scores.__getitem__)], planned_search.choices)
