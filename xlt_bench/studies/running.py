"""Carrying out a study: what is missing, configuration by configuration; and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from xlt_bench.api import carry_out
from xlt_bench.errors import ConfigError, MethodError, StoreError, XltBenchError
from xlt_bench.method import Progress
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.runs.experiment import Experiment, Resources
from xlt_bench.studies.planning import Planned
from xlt_bench.studies.probe import Probes

Show = Callable[[Planned, int, Experiment], AbstractContextManager[Progress]]
"""Called before a configuration begins, with its place from 1 and what is missing of it."""


@dataclass(frozen=True)
class Standing:
    """How far a configuration is: numbers of its cells.

    Attributes:
        running: claimed by a process just now.
        missing: neither stored nor claimed.
    """

    planned: Planned
    done: int
    failed: int
    running: int
    missing: int


@dataclass(frozen=True)
class Estimate:
    """What a configuration's missing cells will take; seconds of one process at work alone."""

    seconds: float
    memory_bytes: int


def run_study(
    planned: Sequence[Planned],
    resources: Resources,
    show: Show,
    *,
    waiting: Callable[[int], None],
    limit: int | None = None,
    pack: int | None = None,
) -> list[str]:
    """Run what is missing, cell by cell; what other processes work on comes last and is waited for.

    Args:
        planned: from `plan_study`.
        resources: those it was planned with.
        show: gives the progress display of a configuration.
        waiting: is told how many cells other processes work on, when only these are left.
        limit: at most so many cells now, and no waiting.
        pack: as for `carry_out`.

    Returns:
        Why configurations could not be run, one line each; failed cells are Records and no reason.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit-cells must be at least 1, not {limit}")
    for one in planned:
        if one.experiment is not None:
            one.experiment.check_store()
    faults: dict[int, str] = {}
    for last in (False, True) if limit is None else (False,):
        left = limit
        for at, one in enumerate(planned, 1):
            todo = None if at in faults else _unsettled(one, left)
            if todo is None:
                continue
            try:
                with show(one, at, todo) as progress:
                    ran = carry_out(
                        todo,
                        progress,
                        pack,
                        waiting=waiting if last else None,
                        resources=resources,
                        keep_fits=True,
                    )
            except StoreError:
                raise
            except XltBenchError as error:
                faults[at] = f"{one.method}, sources {one.sources}: {error}"
                continue
            left = None if left is None else left - len(ran)
    _drop_fits(planned)
    return list(faults.values())


def standings(planned: Sequence[Planned]) -> Iterator[Standing]:
    """How far each configuration is."""
    seen: set[str] = set()  # a cell that configurations share is told of the first
    for one in planned:
        own = [cell.fingerprint for cell in one.cells if cell.fingerprint not in seen]
        seen.update(own)
        counts = Counter(_state(one, fingerprint) for fingerprint in own)
        yield Standing(one, counts["done"], counts["failed"], counts["running"], counts["missing"])


def estimates(planned: Sequence[Planned], probes: Probes) -> Iterator[Estimate | None]:
    """What each configuration will still take, from a short measured probe; None where its probe failed.

    Cells that several configurations share are counted once, as are fits on the sources.
    """
    counted: set[str] = set()
    for one in planned:
        todo = [cell for cell in one.experiment.missing if cell.fingerprint not in counted] if one.experiment else []
        if one.experiment is None or not todo:
            yield Estimate(0.0, 0)
            continue
        try:
            probe = probes.probe(one.experiment)
        except MethodError:
            yield None
            continue
        sources = {cell.source_fit: cell for cell in todo if cell.adapts}
        seconds = sum(probe.seconds(one.experiment, cell) for cell in todo)
        seconds += sum(probe.source_seconds(one.experiment, cell) for cell in sources.values())
        counted.update(cell.fingerprint for cell in todo)
        yield Estimate(seconds, probe.memory_bytes)


def _unsettled(planned: Planned, limit: int | None) -> Experiment | None:
    """What of a configuration is missing by now, at most `limit` cells; None if there is nothing to do."""
    experiment = planned.experiment
    if experiment is None or (limit is not None and limit < 1):
        return None
    cells = [cell for cell in experiment.missing if experiment.settled(cell) is None][:limit]
    return replace(experiment, cells=tuple(cells), done={}) if cells else None


def _state(planned: Planned, fingerprint: str) -> str:
    assert planned.experiment is not None, "a configuration with cells has an experiment"
    store = planned.experiment.job.store
    held = store.find(fingerprint)
    if isinstance(held, Record):
        return "done" if held.complete else "failed"
    return "running" if store.claims.held(fingerprint) else "missing"


def _drop_fits(planned: Sequence[Planned]) -> None:
    """Forget the fits on the sources that no cell of the study needs any more."""
    adapted = [(one.experiment, cell) for one in planned if one.experiment for cell in one.cells if cell.adapts]
    needed = {cell.source_fit for experiment, cell in adapted if not _is_stored(experiment, cell)}
    for experiment, _ in adapted[:1]:  # a study has one store
        experiment.job.store.fits.drop({cell.source_fit for _, cell in adapted} - needed)


def _is_stored(experiment: Experiment, cell: Cell) -> bool:
    return isinstance(experiment.job.store.find(cell.fingerprint), Record)
