"""From a study to experiments: nothing runs, but what a compute budget needs is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xlt_bench.errors import ConfigError, MethodError, StoreError, XltBenchError
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import preset_recipe
from xlt_bench.records.cell import Cell
from xlt_bench.runs.experiment import Experiment
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.preparing import prepare
from xlt_bench.runs.request import DEFAULT_STORE, NO_SOURCES, Request
from xlt_bench.studies.definition import Grid, Study
from xlt_bench.studies.probe import Probes
from xlt_bench.tasks import task_info

COARSEST = 0.001
"""Of the budget that a compute budget is compared with; less is no budget."""


@dataclass(frozen=True)
class StudyOptions:
    """What a user changes in a study; None leaves it as it is.

    Attributes:
        task, data_dir, backbone, preset, seeds, steps, target_steps, device, precision, store, rerun: as in `Request`.
    """

    task: str = "cldr"
    data_dir: Path | None = None
    backbone: str | None = None
    preset: str | None = None
    seeds: tuple[int, ...] | None = None
    steps: int | None = None
    target_steps: int | None = None
    device: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    store: Path = DEFAULT_STORE
    rerun: Literal["failed", "all"] | None = None


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


def plan_study(study: Study, options: StudyOptions, loader: Loader | None = None) -> list[Planned]:
    """The configurations of a study, in its order.

    A configuration that cannot be (a group that the task or the backbone lacks) is listed with the reason; a fault of
    the study's own (an unknown method or option) is an error.

    Raises:
        XltBenchError: nothing can be run, or a fault that concerns every configuration.
    """
    loader = loader or Loader()
    for grid in study.grids:
        for known in filter(None, (options.preset, grid.preset)):
            preset_recipe(known)
        for method in (*grid.methods, *filter(None, (grid.compute_of, grid.steps_of))):
            with suppress(MethodError):  # a plug-in that is broken is left out by itself
                configure(method, grid.settings or {})
    planned = [
        _planned(at, grid, method, sources, options, loader)
        for at, grid in enumerate(study.grids)
        for sources in grid.sources
        for method in grid.methods
    ]
    if not any(one.experiment for one in planned):
        raise ConfigError(f"study {study.name}: nothing of it can be run; {planned[0].reason}")
    return planned


def _planned(at: int, grid: Grid, method: str, sources: str, options: StudyOptions, loader: Loader) -> Planned:
    request = _request(grid, method, sources, options)
    try:
        if grid.compute_of is not None:
            request = _with_compute(request, grid.compute_of, loader)
        return Planned(at, method, sources, prepare(request, loader))
    except StoreError:
        raise
    except XltBenchError as error:
        return Planned(at, method, sources, None, str(error))


def _request(grid: Grid, method: str, sources: str, options: StudyOptions) -> Request:
    preset = options.preset or grid.preset
    steps = grid.steps if options.steps is None else options.steps
    target_steps = grid.target_steps if options.target_steps is None else options.target_steps
    if sources == NO_SOURCES:  # its one fit is on the target
        steps = target_steps
    elif grid.steps_of is not None and options.steps is None:
        steps = _steps_of(grid.steps_of, method, preset or task_info(options.task).preset)
    return Request(
        method=method,
        task=options.task,
        data_dir=options.data_dir,
        sources=sources,
        targets=grid.targets,
        protocol=grid.protocol,
        shots=grid.shots,
        examples=grid.examples,
        backbone=options.backbone,
        seeds=options.seeds or (None if grid.seeds is None else tuple(range(grid.seeds))),
        steps=steps,
        target_steps=target_steps if grid.protocol == "full" and sources != NO_SOURCES else None,
        settings=grid.settings or {},
        preset=preset,
        device=options.device,
        precision=options.precision,
        store=options.store,
        rerun=options.rerun,
    )


def _steps_of(reference: str, method: str, preset: str) -> int | None:
    """The budget of another method, None where the method's own is the same."""
    steps = _budget(reference, preset)
    own = recipe_of(configure(method, {}).method, preset).source
    return None if own.steps == steps else steps


def _budget(method: str, preset: str) -> int:
    steps = recipe_of(configure(method, {}).method, preset).source.steps
    if steps is None:
        raise ConfigError(f"preset {preset} gives {method} epochs and no steps, so no other method can have its budget")
    return steps


def _with_compute(request: Request, reference: str, loader: Loader) -> Request:
    """As many steps as take the arithmetic of the reference's budget."""
    probes = Probes(request.store, loader)
    of_reference = prepare(replace(request, method=reference, settings={}), loader)
    own = prepare(request, loader)
    preset = request.preset or task_info(request.task).preset
    budget = request.steps or _budget(reference, preset)
    share = probes.step_flops(of_reference) / probes.step_flops(own)
    steps = round(budget * share)
    if request.steps is None and steps == recipe_of(configure(request.method, {}).method, preset).source.steps:
        return request
    if steps < max(1, COARSEST * budget):
        raise ConfigError(f"{request.method} does in one step as much arithmetic as {reference} in {budget}")
    return replace(request, steps=steps)


def distinct(planned: Sequence[Planned]) -> Mapping[str, Cell]:
    """Every cell of a study once, by fingerprint."""
    return {cell.fingerprint: cell for one in planned for cell in one.cells}
