"""The local engine: this process, one pack of cells after the other; several processes may share a store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xlt_bench.engines.base import Means, Waiting
from xlt_bench.engines.packs import pack_size, packs
from xlt_bench.errors import ClaimLostError
from xlt_bench.io.processor import threads
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.method import Activity, Progress, Silent
from xlt_bench.records.cell import Cell
from xlt_bench.records.claims import Claims
from xlt_bench.records.leases import Owner
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.request import Request

if TYPE_CHECKING:
    from xlt_bench.runs.runner import Runner

_POLL_SECONDS, _MOST_POLL_SECONDS, _POLL_GROWTH = 1.0, 10.0, 1.3
"""Between two looks at what others work on; longer each time, since hundreds of jobs may wait for one fit."""


@dataclass(frozen=True)
class LocalEngine:
    """See `Engine`.

    Attributes:
        progress: is told of steps and dev evaluations.
        pack: cells that go through the backbone together, where the method can; None: see `pack_size`.
        loader: has the backbones that are loaded already.
        threads: that torch computes with; None: as many as the cores that this process may use.
    """

    progress: Progress = field(default_factory=Silent)
    pack: int | None = None
    loader: Loader = field(default_factory=Loader)
    threads: int | None = None

    @staticmethod
    def of(means: Means) -> LocalEngine:
        """The engine as commands make it.

        Raises:
            ConfigError: something is said of jobs, and there are none.
        """
        means.check_no_jobs()
        return LocalEngine(means.progress, means.pack, means.loader, means.threads)

    def adapted(self, request: Request) -> Request:
        """As it is."""
        return request

    def carry_out(self, experiment: Experiment, waiting: Waiting | None) -> Iterator[Record]:
        """Carry out the missing cells, pack by pack; then wait for those of other processes.

        Raises:
            Stopped: a scheduler asked the process to leave; what is under way is kept for the next one.
        """
        from xlt_bench.runs.runner import Runner  # it brings torch, which nobody needs who only looks

        with threads(self.threads), StopSignals() as stop_signals:
            runner = Runner(experiment.setup, self.progress, self.loader, stop_signals)
            yield from self._carry_out(experiment, runner, waiting)

    def _carry_out(self, experiment: Experiment, runner: Runner, waiting: Waiting | None) -> Iterator[Record]:
        size = pack_size(self.pack, experiment.setup.device)
        cells = experiment.missing
        announced: set[Owner] | None = None
        pause = _POLL_SECONDS
        while cells:
            unsettled_cells = []
            for members in packs(cells, size):
                records = list(_run_pack(members, runner, experiment, self.progress))
                yield from records
                settled = {record.cell.fingerprint for record in records}
                unsettled_cells += [cell for cell in members if cell.fingerprint not in settled]
            if len(unsettled_cells) == len(cells):
                keys = list(dict.fromkeys(fit for cell in unsettled_cells for fit in cell.fits))
                claims = experiment.setup.store.claims
                if waiting is not None:
                    owners = _owners(keys, claims)
                    silent_owners = {owner for owner in owners if owner.silent_seconds}
                    if announced is None or silent_owners - announced:
                        waiting(len(unsettled_cells), owners)
                        announced = silent_owners
                elif not claims.expiring(keys):
                    return
                self.progress.activity(Activity("waiting", "for other processes"))
                time.sleep(pause)
                pause = min(_POLL_GROWTH * pause, _MOST_POLL_SECONDS)
            else:
                pause = _POLL_SECONDS
            cells = unsettled_cells


def _owners(keys: Sequence[str], claims: Claims) -> list[Owner]:
    owners = {claims.owner(key) for key in keys}
    return sorted(owner for owner in owners if owner is not None)


def _run_pack(cells: Sequence[Cell], runner: Runner, experiment: Experiment, progress: Progress) -> Iterator[Record]:
    """Records of the cells that this process could claim; of those that were made meanwhile, what was made."""
    claims = experiment.setup.store.claims
    try:
        # before the claims on the cells: jobs that wait for one fit would otherwise claim all of theirs at each look
        if all(experiment.settled(cell) is None for cell in cells) and not _has_source(cells[0], runner):
            return
        with claims.hold([cell.fingerprint for cell in cells]) as claimed:
            unsettled = []
            for cell in cells:
                if cell.fingerprint not in claimed:
                    continue
                record = experiment.settled(cell)
                if record is None:
                    unsettled.append(cell)
                else:
                    yield record
            if unsettled and _has_source(unsettled[0], runner):
                yield from runner.run(unsettled)
    except ClaimLostError as error:  # they are another process's now, and waited for like others of its
        progress.note(str(error))


def _has_source(cell: Cell, runner: Runner) -> bool:
    """Whether what a cell adapts from is there, making it if no other process does."""
    if not cell.adapts or runner.has_source(cell):
        return True
    with runner.setup.store.claims.hold([cell.source_fit]) as claimed:
        if claimed and not runner.has_source(cell):
            runner.fit_source(cell)
    return bool(claimed)
