"""What a protocol decides: which data a fit sees, in which stages, what selects the checkpoint, what compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from xlt_bench.method import Adaptable, Context, Method
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.cell import Protocol as ProtocolName
from xlt_bench.runs.calls import Fits
from xlt_bench.task import Labelled, Task, TaskInfo

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request


class TransferProtocol(Protocol):
    """In which order fit, adapt and predict happen, and what data each may see. Without state.

    Attributes:
        name: in a Cell and for `--protocol`.
        selected_on: which data chooses the checkpoint.
    """

    @property
    def name(self) -> ProtocolName: ...

    @property
    def selected_on(self) -> str: ...

    def check_request(self, request: Request, method: Method) -> None:
        """Refuse options that do not belong to this protocol.

        Raises:
            ConfigError: the first one.
        """

    def check_data(self, request: Request, task: Task, targets: Sequence[str]) -> None:
        """Refuse targets, or numbers of their examples, that the task's data cannot serve.

        Raises:
            ConfigError: the first one.
        """

    def default_seeds(self, info: TaskInfo, method: Method) -> int:
        """How many seeds are run where nobody says it."""

    def default_targets(self, info: TaskInfo, groups: Mapping[str, frozenset[str]]) -> str | None:
        """An expression over `groups` for `--targets`; None: all groups that hold no source."""

    def cells(self, template: Cell, seeds: Sequence[int], shots: Sequence[int | None], unadapted: Cell) -> list[Cell]:
        """All cells of a configuration.

        Args:
            template: one of its cells, with all its targets.
            shots: numbers of labelled target examples; None is all of them.
            unadapted: the template of cells that stop at the fit on the sources.
        """

    def recipe(self, recipe: Recipe, cell: Cell, task: Task) -> Recipe:
        """The recipe with what follows from the cell's data."""

    def steps(self, cell: Cell, task: Task, recipe: Recipe) -> int:
        """Optimiser steps that the recipe has for the last stage of a cell."""

    def fit(
        self, cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context], source: Adaptable | None
    ) -> Fits:
        """What is to predict, for each of some cells of one pack; contexts belong to the cells one by one.

        Args:
            source: the fit on the sources, for cells that adapt from it.
        """

    def predicted(self, cell: Cell, task: Task, recipe: Recipe) -> list[Labelled]:
        """The items that a cell predicts; their labels are laid beside the predictions afterwards."""

    def comparison(self, cell: Cell) -> str:
        """The name of the table in which its run may stand: only runs of one name are compared."""
