"""An Experiment: a request that was checked, with its cells and what the store holds of them. Nothing has run yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xlt_bench.backbones.source import NO_BACKBONE, BackboneSource, check_name, locate
from xlt_bench.errors import ConfigError
from xlt_bench.languages.expressions import parse_languages, target_groups
from xlt_bench.languages.known_groups import known_groups
from xlt_bench.plugins.methods import configure, recipe_of
from xlt_bench.recipe import Recipe, check_steps
from xlt_bench.records.cell import Cell, Protocol
from xlt_bench.records.record import Record
from xlt_bench.records.store import Damaged, Store
from xlt_bench.runs.devices import choose_device, choose_precision
from xlt_bench.runs.plan import cells, check_seeds
from xlt_bench.runs.request import NO_SOURCES, Request, budgeted, check_examples, label_of, protocol_of, reading
from xlt_bench.runs.runner import Backbones, Job
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks import task_info


@dataclass(frozen=True)
class Experiment:
    """A checked request: nothing has run yet.

    Attributes:
        job: everything that is needed to carry it out.
        cells: all cells asked for.
        done: fingerprint -> Record of those that the store already holds.
        damaged: what the store holds of them that cannot be read; it is computed again.
        before: what the store held when this was prepared; what is new since then was made by another process.
        rerun: as asked for.
    """

    job: Job
    cells: tuple[Cell, ...]
    done: Mapping[str, Record]
    damaged: tuple[Damaged, ...] = ()
    before: Mapping[str, Record] = field(default_factory=dict)
    rerun: str | None = None

    @property
    def missing(self) -> list[Cell]:
        """Cells still to run."""
        return [cell for cell in self.cells if cell.fingerprint not in self.done]

    def check_store(self) -> None:
        """Refuse a store that cannot take what is missing; StoreError."""
        if self.missing:
            self.job.store.check_writable()

    @property
    def fits(self) -> int:
        """How many fits the missing cells take: one each, and one on the sources for those that adapt from it."""
        sources = {cell.source_fit for cell in self.missing if cell.adapts}
        return len(self.missing) + sum(not self.job.store.fits.has(key) for key in sources)

    def settled(self, cell: Cell) -> Record | None:
        """The Record that answers for a cell by now, perhaps made by another process."""
        held = self.job.store.find(cell.fingerprint)
        if not isinstance(held, Record):
            return None
        new = held != self.before.get(cell.fingerprint)
        return held if new or _stands(held, self.job, self.rerun) else None


class Resources:
    """What experiments share: tasks that are loaded, backbones that are found and loaded, each at its first use."""

    def __init__(self) -> None:
        self.backbones = Backbones()
        self._tasks: dict[tuple[str, Path | None], Task] = {}
        self._sources: dict[str, BackboneSource] = {}

    def task(self, reference: str, data_dir: Path | None) -> Task:
        """The task of this name or file, from its folder or its own source."""
        key = (reference, data_dir)
        if key not in self._tasks:
            self._tasks[key] = task_info(reference).load(data_dir)
        return self._tasks[key]

    def source(self, backbone: str) -> BackboneSource:
        """Where the files of a backbone lie."""
        if backbone not in self._sources:
            self._sources[backbone] = locate(backbone)
        return self._sources[backbone]


def prepare(request: Request, resources: Resources | None = None) -> Experiment:
    """Check a request, load the task, and list its cells. Nothing is trained.

    Args:
        request: what is asked for.
        resources: those of other experiments, so that nothing is loaded twice.

    Raises:
        XltBenchError: the first thing about the request that cannot be.
    """
    resources = resources or Resources()
    check_steps(request.steps)
    check_steps(request.target_steps, "--target-steps")
    protocol = protocol_of(request)
    info = task_info(request.task)
    default_seeds = info.full_seeds if protocol == "full" else info.seeds
    seeds = check_seeds(tuple(range(default_seeds)) if request.seeds is None else request.seeds)
    configured = configure(request.method, request.settings)
    preset = request.preset or info.preset
    recipe = recipe_of(configured.method, preset)
    device = choose_device(request.device)
    precision = choose_precision(request.precision, device)
    backbone = request.backbone or info.backbone
    check_name(backbone)
    task = resources.task(request.task, request.data_dir)
    sources, groups, notes = _languages(request, protocol, task, info, backbone)
    source = resources.source(backbone) if configured.method.uses_backbone else None  # last: it may be a download
    if source is None:  # such a method gets what no option changes: options are no part of its identity
        recipe, precision = recipe_of(configured.method, info.preset), "fp32"
    else:
        recipe = reading(recipe, request, source.architecture)
    start = None
    if request.init_from is not None:
        from xlt_bench.adapters.started import start_from

        configured, start = start_from(request.init_from, configured, Store(request.store), task, source)
        if protocol == "zero-shot" or 0 in request.shots:
            start.check_targets(sources, {code for codes in groups.values() for code in codes})
    job = Job(
        task=task,
        configured=configured,
        label=label_of(configured.label, request, info, precision, bool(source)),
        source=source,
        recipe=recipe if source is None else budgeted(recipe, request),
        device=device,
        precision=precision,
        target_label="" if request.target_steps is None else f"{request.target_steps} target steps",
        sources_label=request.sources,
        groups=groups,
        notes=notes,
        store=Store(request.store),
        save_weights=request.save_weights,
        start=start,
        tuning=request.tuning,
    )
    template = _template(job, preset, sources, protocol, request.examples)
    check_examples(request, sources, template.targets if protocol == "full" else (), task)
    return _experiment(
        job, tuple(cells(template, seeds, request.shots, _unadapted(template, recipe, request))), request.rerun
    )


def _unadapted(template: Cell, recipe: Recipe, request: Request) -> Cell:
    """The template of cells that stop at the fit on the sources: how one adapts is no part of what they are."""
    plain = budgeted(recipe, dataclasses.replace(request, target_steps=None))
    own = None if template.recipe is None else plain.as_json()
    return dataclasses.replace(template, protocol="zero-shot", recipe=own)


def _languages(
    request: Request, protocol: Protocol, task: Task, info: TaskInfo, backbone: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The sources, the target rows, and notes on the groups."""
    known = known_groups(info, backbone, task.languages, seen=request.seen, groups_file=request.groups_file)
    sources: tuple[str, ...] = ()
    if request.sources != NO_SOURCES:
        sources = parse_languages(request.sources, known.groups, task.languages, option="--sources", backbone=backbone)
        task.check_trainable(sources, f"--sources '{request.sources}'")
    targets = request.targets
    if targets is None and protocol == "full":
        targets = ",".join(name for name in info.full_targets if name in known.groups) or None
    rows = target_groups(targets, sources, known.groups, task.languages, backbone=backbone)
    if protocol == "full":
        task.check_trainable([code for row in rows.values() for code in row], "--protocol full")
    return sources, rows, known.notes


def _template(job: Job, preset: str, sources: tuple[str, ...], protocol: Protocol, examples: int | None) -> Cell:
    targeted = {code for codes in job.groups.values() for code in codes}
    return Cell(
        task=job.task.name,
        task_hash=job.task.fingerprint,
        backbone=job.source.name if job.source else NO_BACKBONE,
        backbone_hash=job.source.fingerprint if job.source else NO_BACKBONE,
        method=job.configured.name,
        hyperparameters=dict(job.configured.values),
        preset=preset if job.source else None,
        recipe=job.recipe.as_json() if job.source else None,
        sources=sources,
        protocol=protocol,
        targets=tuple(code for code in job.task.languages if code in targeted),
        precision=job.precision,
        seed=0,
        examples=examples,
        init_from=job.start.fingerprint if job.start else None,
        tuned=job.tuning.get("trials"),
    )


def _experiment(job: Job, wanted: tuple[Cell, ...], rerun: str | None) -> Experiment:
    """The cells, and which of them the store already holds."""
    if rerun not in (None, "failed", "all"):
        raise ConfigError(f"--rerun takes failed or all, not '{rerun}'")
    found = {cell.fingerprint: job.store.find(cell.fingerprint) for cell in wanted}
    damaged = tuple(held for held in found.values() if isinstance(held, Damaged))
    before = {key: held for key, held in found.items() if isinstance(held, Record)}
    done = {key: held for key, held in before.items() if _stands(held, job, rerun)}
    return Experiment(job, wanted, done, damaged, before, rerun)


def _stands(record: Record, job: Job, rerun: str | None) -> bool:
    """Whether a stored Record answers what is asked for, so that its cell is not run again."""
    if rerun == "all":
        return False
    if not record.complete:
        return rerun is None
    return not job.save_weights or job.store.has_weights(record.cell.fingerprint)
