"""The search: trials are fits on the sources, scored on source dev; nothing is predicted on a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from xlt_bench.errors import ConfigError, MethodError, XltBenchError
from xlt_bench.method import Context, Progress, Silent
from xlt_bench.plugins.methods import configure
from xlt_bench.records.answers import sheet_of
from xlt_bench.runs.experiment import Experiment, Resources, prepare
from xlt_bench.runs.protocols import fit_pack, predict, source_data
from xlt_bench.runs.request import NO_SOURCES, Request
from xlt_bench.tasks.sampling import stratified
from xlt_bench.tuning.answers import Answers, KeptAnswers, Score, difference, score
from xlt_bench.tuning.space import REACH, Factors, dimensions, factors, options_of, request_of

FIRST_SEED = 4_000_000_000
"""Of the trials' own seeds: no run that is reported has them."""

KEPT = ".tuning"
_MOST_TRIALS = 1000


@dataclass(frozen=True)
class Trial:
    """One setting.

    Attributes:
        number: its place in the search; 0 is the default setting.
        request: what `run` does with this setting.
        fits: the answers to source dev, one a seed; none where a fit failed, with the reason in `failed`.
    """

    number: int
    factors: Factors
    request: Request
    fits: tuple[Answers, ...] = ()
    failed: str | None = None

    @property
    def score(self) -> Score | None:
        """Source-dev accuracy; None where a fit failed."""
        return score(self.fits) if self.fits else None

    def told(self) -> str:
        """The factors, for a reader."""
        return ", ".join(f"{name} x{factor:g}" for name, factor in self.factors.items()) if self.number else "default"


@dataclass(frozen=True)
class Search:
    """A checked search: nothing has run yet.

    Attributes:
        label: the method's.
        planned: the trials, each with the experiment of its fits.
        kept: where their answers lie.
        resources: what the trials share.
    """

    label: str
    planned: tuple[tuple[Trial, Experiment], ...]
    kept: KeptAnswers
    resources: Resources
    rerun: str | None

    @property
    def missing(self) -> int:
        """How many fits are still to be made."""
        cells = (cell.source_fit for _, experiment in self.planned for cell in experiment.cells)
        return sum(self.held(key) is None for key in cells)

    def held(self, key: str) -> Answers | str | None:
        """What is kept of a fit and need not be made again: answers, or why it failed."""
        held = self.kept.find(key)
        again = self.rerun == "all" or (self.rerun == "failed" and isinstance(held, str))
        return None if again else held


@dataclass(frozen=True)
class Tuned:
    """A search that is done.

    Attributes:
        trials: all of them, in their order.
        best: the one with the highest score, the first of equals.
    """

    trials: tuple[Trial, ...]
    best: Trial

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
                "factors": dict(trial.factors),
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
            "space": {name: [1 / REACH, REACH] for name in self.best.factors},
            "options": options_of(self.best.request),
            "results": results,
        }


def prepare_search(request: Request, trials: int, seeds: int = 1, resources: Resources | None = None) -> Search:
    """Check a search, load the task, and list its trials. Nothing is trained.

    Args:
        request: of the run that is to be tuned.
        trials: settings to try, the default one among them.
        seeds: fits a trial.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    if not 2 <= trials <= _MOST_TRIALS:
        raise ConfigError(
            f"--trials must lie between 2 (the default and another setting) and {_MOST_TRIALS}, not {trials}"
        )
    if seeds < 1:
        raise ConfigError(f"--trial-seeds must be at least 1, not {seeds}")
    if request.sources == NO_SOURCES:
        raise ConfigError("tuning selects on source dev, and --sources none has none; give sources")
    held = range(FIRST_SEED, FIRST_SEED + _MOST_TRIALS)
    taken = [seed for seed in request.seeds or () if seed in held]
    if taken:
        raise ConfigError(f"seed {taken[0]} is held for trials, from {held.start} on; give others")
    configured = configure(request.method, request.settings)
    found = dimensions(configured)
    resources = resources or Resources()
    planned = []
    for number in range(trials):
        chosen = factors(number, found)
        own = request_of(request, configured, chosen)
        fits = replace(
            own,
            protocol="zero-shot",
            shots=(None,),
            target_steps=None,
            seeds=tuple(held[:seeds]),
            save_weights=False,
            rerun=None,
        )
        experiment = prepare(fits, resources)
        experiment.check_store()
        planned.append((Trial(number, chosen, own), experiment))
    job = planned[0][1].job
    return Search(configured.label, tuple(planned), KeptAnswers(job.store.folder / KEPT), resources, request.rerun)


def search(
    found: Search, progress: Progress | None = None, told: Callable[[Trial], None] = lambda trial: None
) -> Tuned:
    """Make the trials that are missing; what is made is kept, so that a search that is stopped goes on from there.

    Args:
        found: from `prepare_search`.
        progress: is told of steps and dev evaluations.
        told: is given each trial when it is done.

    Raises:
        MethodError: every trial failed.
    """
    done: list[Trial] = []
    for trial, experiment in found.planned:
        made = [_fit(found, experiment, place, progress or Silent()) for place in range(len(experiment.cells))]
        answers = tuple(one for one in made if isinstance(one, Answers))
        failed = next((one for one in made if isinstance(one, str)), None)
        done.append(replace(trial, fits=() if failed else answers, failed=failed))
        told(done[-1])
    scores = {trial.number: one.accuracy for trial in done if (one := trial.score)}
    if not scores:
        raise MethodError(f"all {len(done)} trials of {found.label} failed, the first with: {done[0].failed}")
    return Tuned(tuple(done), done[max(scores, key=scores.__getitem__)])


def _fit(found: Search, experiment: Experiment, place: int, progress: Progress) -> Answers | str:
    """The answers of one fit to source dev, or why it failed: kept ones, else new ones."""
    job, cell = experiment.job, experiment.cells[place]
    held = found.held(cell.source_fit)
    if held is not None:
        return held
    context = Context(
        labels=job.task.labels,
        seed=cell.seed,
        recipe=job.recipe,
        device=job.device,
        precision=job.precision,
        progress=progress,
        load_backbone=partial(found.resources.backbones.load, job) if job.source is not None else None,
    )
    made: Answers | str
    try:
        (fitted,) = fit_pack([cell], job.configured.method, job.task, [context])
        _, dev = source_data(cell, job.task)
        sheet = sheet_of(predict(fitted, [stratified(dev, job.recipe.dev_limit)], job.task.labels), job.task.labels)
        made = Answers(sheet.codes, sheet.items, sheet.correct)
    except (Exception, SystemExit) as error:
        if isinstance(error, XltBenchError) and not isinstance(error, MethodError):
            raise
        made = str(error) if isinstance(error, MethodError) else f"{type(error).__name__}: {error}"
    found.kept.keep(cell.source_fit, made)
    return made
