"""A trial: one setting, fitted on the sources and judged on their dev split; nothing is predicted on a target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xlt_bench.records.answers import Sheet
from xlt_bench.records.cell import ZERO_SHOT, Cell
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.option_values import TRIAL_SEEDS
from xlt_bench.runs.request import Request
from xlt_bench.tuning.scores import Score, score
from xlt_bench.tuning.space import Point

FIRST_SEED = TRIAL_SEEDS.start
"""Of the trials' own seeds: no run that is reported has them."""

STORE = "trials"
"""Of the Records of trials, aside of the results."""


@dataclass(frozen=True)
class Trial:
    """One setting.

    Attributes:
        number: its place in the search; 0 is the default setting.
        request: what `run` does with this setting.
        fits: the answers to source dev, one a seed; none where a fit failed, with the reason in `failed`.
    """

    number: int
    point: Point
    request: Request
    fits: tuple[Sheet, ...] = ()
    failed: str | None = None

    @property
    def score(self) -> Score | None:
        """Source-dev accuracy; None where a fit failed."""
        return score(self.fits) if self.fits else None

    @property
    def description(self) -> str:
        """The factors and choices, for a reader."""
        listed = (
            f"{name}={value}" if isinstance(value, str) else f"{name} x{value:g}" for name, value in self.point.items()
        )
        return ", ".join(listed) if self.number else "default"


@dataclass(frozen=True)
class PlannedTrial:
    """A trial, and the experiment of its fits: one cell a seed."""

    trial: Trial
    experiment: Experiment

    def result(self) -> Trial | None:
        """The trial with what the store holds of it by now; None where a fit is still missing."""
        records = [self.experiment.settled(cell) for cell in self.experiment.cells]
        stored = [record for record in records if record is not None]
        if len(stored) < len(records):
            return None
        failed = next((record.reason for record in stored if not record.complete), None)
        if failed is not None:
            return replace(self.trial, failed=failed)
        return replace(self.trial, fits=tuple(self.experiment.setup.store.sheet(record) for record in stored))


def fits_of(request: Request, seeds: int) -> Request:
    """The request of a trial's fits on the sources, so many of them; how one adapts and what is kept is left out."""
    return replace(
        request,
        protocol=ZERO_SHOT,
        shots=(None,),
        target_steps=None,
        seeds=tuple(range(FIRST_SEED, FIRST_SEED + seeds)),
        save_weights=False,
        rerun=None,
    )


def trial_cell(cell: Cell) -> Cell:
    """A cell that predicts the dev split of its own sources in place of its targets."""
    return replace(cell, targets=cell.sources, predicts="dev")
