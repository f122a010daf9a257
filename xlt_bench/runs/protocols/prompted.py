"""prompted: a language model is asked for the class of every target's test items; nothing is trained.

Demonstrations in the prompt come from the sources' train splits; without them there are no sources (`--sources none`),
and nothing is random. No target data is in scope but the item that is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlt_bench.errors import ConfigError
from xlt_bench.method import Adaptable, Context, Method, Prompting
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import PROMPTED, Cell, Protocol
from xlt_bench.runs.calls import Fits, fit
from xlt_bench.runs.protocols.zero_shot import source_data
from xlt_bench.task import Labelled, Task, TaskInfo

if TYPE_CHECKING:
    from xlt_bench.runs.request import Request


@dataclass(frozen=True)
class PromptedProtocol:
    """See `TransferProtocol`; one cell a seed, with all its targets."""

    name: Protocol = PROMPTED
    selected_on: str = "nothing"

    def check_request(self, request: Request, method: Method) -> None:
        """Refuse what is of training, sources that no demonstration comes from, and several runs of one answer."""
        assert isinstance(method, Prompting), "this protocol is theirs"
        if request.target_steps is not None or request.shots != (None,):
            option = "--shots" if request.target_steps is None else "--target-steps"
            raise ConfigError(f"{option} is of adapting to a target, and {request.method} trains nothing")
        if request.has_sources and not method.demonstrations:
            raise ConfigError(
                f"{request.method} without demonstrations learns from no language; give --sources none, or, for "
                "examples of the sources in the prompt, --set demonstrations=7"
            )
        if method.demonstrations and not request.has_sources:
            raise ConfigError(
                f"--set demonstrations={method.demonstrations} needs languages to take them from, and --sources is "
                "none; give some, such as --sources eng_Latn"
            )
        if not method.demonstrations and request.seeds is not None and len(request.seeds) > 1:
            raise ConfigError(
                f"{request.method} without demonstrations has nothing random: {len(request.seeds)} seeds would be the "
                "same answers; leave --seeds out"
            )

    def check_data(self, request: Request, task: Task, targets: Sequence[str]) -> None:
        """Nothing but test items is needed of a target."""

    def default_seeds(self, info: TaskInfo, method: Method) -> int:
        """The task's; one where nothing is random."""
        assert isinstance(method, Prompting), "this protocol is theirs"
        return info.seeds if method.demonstrations else 1

    def default_targets(self, info: TaskInfo, groups: Mapping[str, frozenset[str]]) -> str | None:
        """All groups that hold no source."""
        return None

    def cells(self, template: Cell, seeds: Sequence[int], shots: Sequence[int | None], unadapted: Cell) -> list[Cell]:
        """One a seed."""
        return [replace(template, seed=seed) for seed in seeds]

    def recipe(self, recipe: Recipe, cell: Cell, task: Task) -> Recipe:
        """As it is; no run uses it."""
        return recipe

    def steps(self, cell: Cell, task: Task, recipe: Recipe) -> int:
        """None."""
        return 0

    def fit(
        self, cells: Sequence[Cell], method: Method, task: Task, contexts: Sequence[Context], source: Adaptable | None
    ) -> Fits:
        """Draw the demonstrations, by seed."""
        return [
            fit(method, *source_data(cell, task), [context])[0] for cell, context in zip(cells, contexts, strict=True)
        ]

    def predicted(self, cell: Cell, task: Task, recipe: Recipe) -> list[Labelled]:
        """Test items of all targets."""
        return [task.split(code, "test") for code in cell.targets]

    def comparison(self, cell: Cell) -> str:
        """All of them, whatever the model: the model is what is compared."""
        return "prompted"
