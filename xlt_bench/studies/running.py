"""Carrying out a study: what is missing, configuration by configuration; and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from xlt_bench.engines import Engine, Waiting, carry_out
from xlt_bench.errors import ConfigError, MethodError, StoreError, XltBenchError
from xlt_bench.method import Progress
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.experiment import Experiment
from xlt_bench.studies.outlines import Outline
from xlt_bench.studies.planning import Planned
from xlt_bench.studies.probe import Probes

Show = Callable[[Planned, int, Experiment], AbstractContextManager[Progress]]
"""Called before a configuration begins, with its place from 1 and what is missing of it."""


MakeEngine = Callable[[Progress], Engine]
"""Gives the engine of a configuration, which tells the Progress how far it is."""

CELL_STATES = ("done", "failed", "running", "queued", "missing")
"""Stored as complete or as failed; claimed by a process just now; in a job of a cluster; none of these."""


@dataclass(frozen=True)
class CellCounts:
    """How far a configuration is: numbers of its cells by their state, of `CELL_STATES`."""

    outline: Outline
    by_state: Counter[str]

    @property
    def failed(self) -> int:
        """Cells that are stored as failed."""
        return self.by_state["failed"]


@dataclass(frozen=True)
class Estimate:
    """What a configuration's missing cells will take; seconds of one process at work alone."""

    seconds: float
    memory_bytes: int


def run_study(
    planned: Sequence[Planned],
    make_engine: MakeEngine,
    show: Show,
    *,
    waiting: Waiting | None,
    limit: int | None = None,
) -> list[str]:
    """Run what is missing, cell by cell; what other processes work on comes last and is waited for.

    Args:
        planned: from `plan_study`.
        make_engine: see `MakeEngine`.
        show: gives the progress display of a configuration.
        waiting: see `Waiting`; None: what others work on, also jobs of a cluster, is left to them.
        limit: at most so many cells now, and no waiting.

    Returns:
        Why configurations could not be run, one line each; failed cells are Records and no reason.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit-cells must be at least 1, not {limit}")
    for configuration in planned:
        if configuration.experiment is not None:
            configuration.experiment.check_store()
    faults: dict[int, str] = {}
    for last in (False,) if limit is not None or waiting is None else (False, True):
        for place, configuration in enumerate(planned, 1):
            if configuration.experiment is None or place in faults:
                continue
            remaining = configuration.experiment.remaining(limit)
            if not remaining.cells:
                continue
            try:
                with show(configuration, place, remaining) as progress:
                    records = carry_out(remaining, make_engine(progress), waiting if last else None, keep_fits=True)
            except StoreError:
                raise
            except XltBenchError as error:
                faults[place] = f"{configuration.method}, sources {configuration.sources}: {error}"
                continue
            limit = None if limit is None else limit - len(records)
    _drop_fits(planned)
    return list(faults.values())


def cell_counts(outlines: Sequence[Outline], store: Store, queued: Collection[str] = ()) -> Iterator[CellCounts]:
    """How far each configuration is; a cell that configurations share is counted with the first.

    Args:
        outlines: of the configurations.
        store: where their Records lie.
        queued: fingerprints of cells that jobs of a cluster are to make.
    """
    counted: set[str] = set()
    for outline in outlines:
        fingerprints = [fingerprint for fingerprint in outline.fingerprints if fingerprint not in counted]
        counted.update(fingerprints)
        yield CellCounts(outline, Counter(_states(store, fingerprints, queued)))


def estimates(planned: Sequence[Planned], probes: Probes) -> Iterator[Estimate | None]:
    """What each configuration will still take, from a short measured probe; None where its probe failed.

    Cells that several configurations share are counted once, as are fits on the sources.
    """
    counted: set[str] = set()
    for configuration in planned:
        experiment = configuration.experiment
        cells = [cell for cell in experiment.missing if cell.fingerprint not in counted] if experiment else []
        if experiment is None or not cells:
            yield Estimate(0.0, 0)
            continue
        try:
            probe = probes.probe(experiment)
        except MethodError:
            yield None
            continue
        sources = {cell.source_fit: cell for cell in cells if cell.adapts}
        seconds = sum(probe.seconds(experiment, cell) for cell in cells)
        seconds += sum(probe.source_seconds(experiment, cell) for cell in sources.values())
        counted.update(cell.fingerprint for cell in cells)
        yield Estimate(seconds, probe.memory_bytes)


def _states(store: Store, fingerprints: Sequence[str], queued: Collection[str]) -> Iterator[str]:
    outcomes = store.find_all(fingerprints)
    for fingerprint in fingerprints:
        record = outcomes.get(fingerprint)
        if isinstance(record, Record):
            yield "done" if record.complete else "failed"
        elif store.claims.held(fingerprint):
            yield "running"
        else:
            yield "queued" if fingerprint in queued else "missing"


def _drop_fits(planned: Sequence[Planned]) -> None:
    """Forget the fits on the sources that no cell of the study needs any more."""
    experiments = [configuration.experiment for configuration in planned if configuration.experiment]
    adapting = {cell.fingerprint: cell for experiment in experiments for cell in experiment.cells if cell.adapts}
    if adapting:
        store = experiments[0].setup.store  # a study has one store
        stored = {name for name, record in store.find_all(adapting).items() if isinstance(record, Record)}
        missing = {cell.source_fit for name, cell in adapting.items() if name not in stored}
        store.fits.drop({cell.source_fit for cell in adapting.values()} - missing)
