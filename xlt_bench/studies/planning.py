"""From a study to experiments: nothing runs, but what a compute budget needs is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from xlt_bench.errors import ConfigError, MethodError, StoreError, XltBenchError
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import preset_recipe
from xlt_bench.records.cell import FULL, Cell
from xlt_bench.resources import check_names, needs_of
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import Request
from xlt_bench.studies.definition import Grid, Study
from xlt_bench.tasks import task_info

COARSEST = 0.001
"""Of the budget that a compute budget is compared with; less is no budget."""


@dataclass(frozen=True)
class Planned:
    """One configuration of a study.

    Attributes:
        grid: which of the study's grids it belongs to, from 0.
        sources: as the study names them.
        experiment: None where it cannot be on this task and backbone; `reason` says why.
    """

    grid: int
    method: str
    sources: str
    experiment: Experiment | None
    reason: str = ""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All its cells, done or not."""
        return self.experiment.cells if self.experiment else ()


def plan_study(study: Study, base: Request, loader: Loader | None = None) -> list[Planned]:
    """The configurations of a study, in its order.

    A configuration that cannot be (a group that the task or the backbone lacks) is listed with the reason; a fault of
    the study's own (an unknown method or option) is an error.

    Args:
        study: what is planned.
        base: task, backbone, store and so on; what it says goes before what the study says.
        loader: that of other experiments, so that nothing is loaded twice.

    Raises:
        XltBenchError: nothing can be run, or a fault that concerns every configuration.
    """
    loader = loader or Loader()
    check_names(base.resources)
    for grid in study.grids:
        _check_grid(grid, base)
    planned = [
        _planned(number, grid, _request(grid, method, sources, settings, base), sources, loader)
        for number, grid in enumerate(study.grids)
        for sources in grid.sources
        for method in grid.methods
        for settings in grid.settings
    ]
    if not any(configuration.experiment for configuration in planned):
        raise ConfigError(f"study {study.name}: nothing of it can be run; {planned[0].reason}")
    return planned


def _check_grid(grid: Grid, base: Request) -> None:
    """Refuse presets, methods and settings that no task could have."""
    for preset in filter(None, (base.preset, grid.options.get("preset"))):
        preset_recipe(preset)
    for method in (*grid.methods, *filter(None, (grid.compute_of, grid.steps_of))):
        for settings in grid.settings:
            with suppress(MethodError):  # a plug-in that is broken is left out by itself
                configure(method, settings)


def _planned(number: int, grid: Grid, request: Request, sources: str, loader: Loader) -> Planned:
    method = request.method
    try:
        request = _with_needed_resources(request)
        if grid.compute_of is not None:
            request = _with_compute(request, grid.compute_of, loader)
        return Planned(number, method, sources, prepare(request, loader))
    except StoreError:
        raise
    except XltBenchError as error:
        return Planned(number, method, sources, None, str(error))


def _with_needed_resources(request: Request) -> Request:
    """The request with those of the given files and folders that its method declares."""
    needs = needs_of(configure(request.method, request.settings).method)
    return replace(request, resources={name: path for name, path in request.resources.items() if name in needs})


def _request(grid: Grid, method: str, sources: str, settings: Mapping[str, str], base: Request) -> Request:
    request = grid.request(method, sources, settings, base)
    if not request.has_sources:  # its one fit is on the target
        return replace(request, steps=request.target_steps, target_steps=None)
    if request.protocol != FULL:
        request = replace(request, target_steps=None)
    if grid.steps_of is not None and base.steps is None:
        preset = request.preset or task_info(request.task).preset
        request = replace(request, steps=_steps_of(grid.steps_of, method, preset))
    return request


def _steps_of(reference: str, method: str, preset: str) -> int | None:
    """The budget of another method, None where the method's own is the same."""
    steps = _budget(reference, preset)
    usual = recipe_of(configure(method, {}).method, preset).source
    return None if usual.steps == steps else steps


def _budget(method: str, preset: str) -> int:
    steps = recipe_of(configure(method, {}).method, preset).source.steps
    if steps is None:
        raise ConfigError(f"preset {preset} gives {method} epochs and no steps, so no other method can have its budget")
    return steps


def _with_compute(request: Request, reference: str, loader: Loader) -> Request:
    """As many steps as take the arithmetic of the reference's budget."""
    from xlt_bench.studies.probe import Probes  # it trains, and imports what that takes

    probes = Probes(request.store, loader)
    reference_experiment = prepare(replace(request, method=reference, settings={}), loader)
    experiment = prepare(request, loader)
    preset = request.preset or task_info(request.task).preset
    budget = request.steps or _budget(reference, preset)
    share = probes.step_flops(reference_experiment) / probes.step_flops(experiment)
    steps = round(budget * share)
    if request.steps is None and steps == recipe_of(configure(request.method, {}).method, preset).source.steps:
        return request
    if steps < max(1, COARSEST * budget):
        raise ConfigError(f"{request.method} does in one step as much arithmetic as {reference} in {budget}")
    return replace(request, steps=steps)


def distinct(planned: Sequence[Planned]) -> Mapping[str, Cell]:
    """Every cell of a study once, by fingerprint."""
    return {cell.fingerprint: cell for configuration in planned for cell in configuration.cells}
