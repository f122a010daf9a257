"""What an engine offers, and what is done around every engine's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from xlt_bench.errors import ConfigError
from xlt_bench.method import Progress, Silent
from xlt_bench.records.leases import Owner
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.request import Request

Waiting = Callable[[int, Sequence[Owner]], None]
"""Is told how many cells other processes work on, and which processes, when only these are left."""


@dataclass(frozen=True)
class Means:
    """What commands give to whatever engine is chosen; each takes what it can use, and refuses the rest.

    Attributes:
        progress: is told of steps and dev evaluations, or of workers and jobs.
        pack: cells that go through the backbone together, where the method can; None: see `pack_size`.
        threads: that torch computes with; None: as many as the cores that a process may use.
        loader: has the backbones that are loaded already.
        profile: TOML file that says what jobs of a cluster ask for.
        job: the same as `name=value`, before the file.
        say: is told, a line each, what a user should know beside the progress.
    """

    progress: Progress = field(default_factory=Silent)
    pack: int | None = None
    threads: int | None = None
    loader: Loader = field(default_factory=Loader)
    profile: Path | None = None
    job: tuple[str, ...] = ()
    say: Callable[[str], None] = print

    def check_no_jobs(self) -> None:
        """Refuse what is said of jobs where there are none; ConfigError."""
        if self.profile is not None or self.job:
            raise ConfigError("--profile and --job are about jobs of a cluster; they need --engine slurm or ray")

    def check_no_threads(self) -> None:
        """Refuse a number of threads where jobs compute, and not this process; ConfigError."""
        if self.threads is not None:
            raise ConfigError("--threads is of this process; jobs compute with the cores they ask for: --job cpus=")


class Engine(Protocol):
    """Carries out cells; where and by which processes is its own affair.

    A package offers one by an entry point of the group `xlt_bench.engines` that leads to a function of `Means`.

    Cells are claimed in the store, so engines of several processes, also of different kinds, share the work: none is
    carried out twice, and one that is interrupted is taken up by the next engine that meets it.
    """

    def adapted(self, request: Request) -> Request:
        """The request for this machine, whose cells the workers make: their device need not be this machine's."""

    def carry_out(self, experiment: Experiment, waiting: Waiting | None) -> Iterator[Record]:
        """Carry out the missing cells, yielding each Record when it lies in the store, in no certain order.

        What another process works on comes last and is waited for.

        Args:
            experiment: a checked request.
            waiting: see `Waiting`; None: what others work on is left to them, and their Records are not yielded.
        """


def wait_silently(cells: int, owners: Sequence[Owner]) -> None:
    """A `Waiting` that says nothing."""


def carry_out(
    experiment: Experiment, engine: Engine, waiting: Waiting | None = wait_silently, *, keep_fits: bool = False
) -> list[Record]:
    """All Records of an experiment, in the order of its cells; those that the store lacks are made.

    Args:
        experiment: a checked request.
        engine: carries out what is missing.
        waiting: as for `Engine.carry_out`; with None, the Records that others work on are left out.
        keep_fits: leave the fits on the sources in the store, for another experiment that adapts from them.
    """
    experiment.check_store()
    records = dict(experiment.stored)
    for record in engine.carry_out(experiment, waiting):
        records[record.cell.fingerprint] = record
    if not keep_fits:
        experiment.setup.store.fits.drop({cell.source_fit for cell in experiment.cells if cell.adapts})
    ordered = [records[cell.fingerprint] for cell in experiment.cells if cell.fingerprint in records]
    return experiment.setup.store.labelled(ordered)
