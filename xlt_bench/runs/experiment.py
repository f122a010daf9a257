"""An Experiment: a request that was checked, with its cells and what the store holds of them. Nothing has run yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xlt_bench.errors import ConfigError
from xlt_bench.records.cell import Cell
from xlt_bench.records.manifest import Damaged
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.evaluation import Evaluation
from xlt_bench.runs.request import Request
from xlt_bench.runs.setup import Setup

RERUNS = (None, "failed", "all")


@dataclass(frozen=True)
class Experiment:
    """A checked request: nothing has run yet.

    Attributes:
        request: what was asked for; from it another process prepares the same setup.
        setup: everything that is needed to carry it out.
        cells: all cells asked for.
        stored: fingerprint -> Record of those that the store already holds.
        damaged: what the store holds of them that cannot be read; it is computed again.
        first_records: what the store held when this was prepared; what is new since then was made by another process.
        rerun: as asked for.
    """

    request: Request | Evaluation
    setup: Setup
    cells: tuple[Cell, ...]
    stored: Mapping[str, Record]
    damaged: tuple[Damaged, ...] = ()
    first_records: Mapping[str, Record] = field(default_factory=dict)
    rerun: str | None = None

    @property
    def missing(self) -> list[Cell]:
        """Cells still to run."""
        return [cell for cell in self.cells if cell.fingerprint not in self.stored]

    def check_store(self) -> None:
        """Refuse a store that cannot take what is missing; StoreError."""
        if self.missing:
            self.setup.store.check_writable()

    @property
    def fits(self) -> int:
        """How many fits the missing cells take: one each, and one on the sources for those that adapt from it."""
        sources = {cell.source_fit for cell in self.missing if cell.adapts}
        return len(self.missing) + sum(not self.setup.store.fits.has(key) for key in sources)

    def settled(self, cell: Cell) -> Record | None:
        """The Record that answers for a cell by now, perhaps made by another process."""
        record = self.setup.store.find(cell.fingerprint)
        if not isinstance(record, Record):
            return None
        new = record != self.first_records.get(cell.fingerprint)
        return record if new or _stands(record, self.setup, self.rerun) else None

    def remaining(self, limit: int | None = None) -> Experiment:
        """The part of it that nothing answers for by now, at most `limit` cells of it."""
        cells = [cell for cell in self.missing if self.settled(cell) is None]
        return replace(self, cells=tuple(cells[:limit]), stored={})

    def derived(
        self, cells: Sequence[Cell], store: Store, rerun: str | None = None, *, count_operations: bool = False
    ) -> Experiment:
        """Other cells of the same setup, whose Records go into a store of their own.

        They are no results: trials of a search, probes of what a step costs.
        """
        # operations are counted of whole fits alone
        minutes = None if count_operations else self.setup.checkpoint_minutes
        setup = replace(
            self.setup,
            store=store,
            save_weights=False,
            count_operations=count_operations,
            checkpoint_minutes=minutes,
        )
        return experiment_of(self.request, setup, cells, rerun)


def experiment_of(request: Request | Evaluation, setup: Setup, cells: Sequence[Cell], rerun: str | None) -> Experiment:
    """The cells, and which of them the store already holds."""
    if rerun not in RERUNS:
        raise ConfigError(f"--rerun takes failed or all, not '{rerun}'")
    outcomes = setup.store.find_all(cell.fingerprint for cell in cells)
    damaged = tuple(outcome for outcome in outcomes.values() if isinstance(outcome, Damaged))
    records = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Record)}
    stored = {key: record for key, record in records.items() if _stands(record, setup, rerun)}
    return Experiment(request, setup, tuple(cells), stored, damaged, records, rerun)


def _stands(record: Record, setup: Setup, rerun: str | None) -> bool:
    """Whether a stored Record answers what is asked for, so that its cell is not run again."""
    if rerun == "all":
        return False
    if not record.complete:
        return rerun is None
    return not setup.save_weights or setup.store.has_weights(record.cell.fingerprint)
