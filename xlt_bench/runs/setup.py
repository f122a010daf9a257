"""A Setup: all that carrying out cells takes and that is no part of their identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.plugins.methods import ConfiguredMethod
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.store import Store
from xlt_bench.resources import Resources
from xlt_bench.task import Task


@dataclass(frozen=True)
class Provenance:
    """What Records tell of where their numbers come from; see `Record` for the fields.

    `selected_on` is None where the protocol and the fit tell it.
    """

    origin: str = "xlt-bench run"
    setting: str = ""
    source: str = ""
    caveats: tuple[str, ...] = ()
    selected_on: str | None = None
    runs: int | None = None


@dataclass(frozen=True)
class Setup:
    """The loaded parts of an experiment, and how its Records are called and kept.

    Attributes:
        recipe: of all cells; a cell that has a recipe of its own is fitted by that.
        notes: what a reader must know of the groups.
        label, target_label: how messages and reports name the runs; the budget of adapting, if not the usual.
        defaults: what is usual for the method, for its Records.
        store: where the Records go.
        resources: what the method declares beside labelled sources.
        count_operations: count the floating-point operations of every fit, which makes it slower.
        checkpoint_minutes: from one checkpoint of a fit to the next at the latest; None: none are written.
    """

    task: Task
    configured: ConfiguredMethod
    label: str
    source: BackboneSource | None
    recipe: Recipe
    device: str
    precision: Precision
    sources_label: str
    groups: Mapping[str, tuple[str, ...]]
    store: Store
    save_weights: bool = False
    target_label: str = ""
    notes: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    tuning: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = Provenance()
    resources: Resources = field(default_factory=Resources)
    count_operations: bool = False
    checkpoint_minutes: int | None = None

    def recipe_of(self, cell: Cell) -> Recipe:
        """The recipe that a cell is fitted by."""
        return self.recipe if cell.recipe is None else Recipe.from_json(cell.recipe)

    def groups_of(self, cell: Cell) -> dict[str, tuple[str, ...]]:
        """The groups that a cell predicts something of."""
        if cell.predicts == "dev":
            return {"source dev": cell.targets}
        return {name: codes for name, codes in self.groups.items() if set(codes) & set(cell.targets)}
