"""`xlt_bench.run`: what the command line calls, and what a notebook calls."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from xlt_bench.backbone import NO_BACKBONE, BackboneSource, Precision, check_name, locate
from xlt_bench.discovery import configure
from xlt_bench.engines.local import run_local
from xlt_bench.errors import ConfigError
from xlt_bench.groups import parse_languages, target_groups
from xlt_bench.language_sets import with_groups
from xlt_bench.method import Progress, Silent
from xlt_bench.plan import Cell, Protocol, cells, check_seeds
from xlt_bench.recipe import Recipe, check_steps, preset_recipe
from xlt_bench.records import Record
from xlt_bench.runner import Backbones, Job, Runner
from xlt_bench.store import Damaged, Store
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks import task_info

DEFAULT_STORE = Path("xlt-results")
NO_SOURCES = "none"
GPU_PACK = 16


@dataclass(frozen=True)
class Request:
    """What is asked for, as the command line's options; None takes the task's default.

    Attributes:
        method: a name of `xlt-bench ls methods`, or `path/to/file.py:Class`.
        sources, targets: expressions over groups and language codes (see `xlt_bench.groups`); sources `none` trains
            on each target's own train split.
        protocol: `zero-shot`, or `full`: adapt to each target on its train split. None: full without sources.
        shots: in the full protocol, numbers of labelled target examples; None is all, 0 is zero-shot.
        examples: labelled source examples, all languages together; None is all.
        backbone: `nano`, a local folder, or a hub id.
        steps: optimiser steps on the sources (without sources: on the target), in place of the preset's.
        target_steps: optimiser steps of adapting to a target, in place of the preset's.
        settings: hyper-parameters of the method, as text.
        rate_factors: on the preset's learning rates: of all roles but the head, and of the head.
        groups_file: a TOML file with more groups of languages (see `xlt_bench.language_sets`).
        tuning: how the setting was found, of a request that a search made (see `xlt_bench.tuning`).
        init_from: an adapter, or a Record with weights, from which a soft prompt starts in place of random weights.
        rerun: run failed cells again, or all of them, although the store holds their Records.
    """

    method: str = "xpe"
    task: str = "cldr"
    data_dir: Path | None = None
    sources: str = "seen"
    targets: str | None = None
    protocol: Protocol | None = None
    shots: tuple[int | None, ...] = (None,)
    examples: int | None = None
    backbone: str | None = None
    seeds: tuple[int, ...] | None = None
    steps: int | None = None
    target_steps: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    rate_factors: tuple[float, float] = (1.0, 1.0)
    groups_file: Path | None = None
    tuning: Mapping[str, Any] = field(default_factory=dict)
    init_from: str | None = None
    preset: str | None = None
    device: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    store: Path = DEFAULT_STORE
    save_weights: bool = False
    rerun: Literal["failed", "all"] | None = None


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
    protocol = _protocol(request)
    info = task_info(request.task)
    default_seeds = info.full_seeds if protocol == "full" else info.seeds
    seeds = check_seeds(tuple(range(default_seeds)) if request.seeds is None else request.seeds)
    configured = configure(request.method, request.settings)
    preset = request.preset or info.preset
    recipe = preset_recipe(preset, configured.name)
    device = choose_device(request.device)
    precision = choose_precision(request.precision, device)
    backbone = request.backbone or info.backbone
    check_name(backbone)
    task = resources.task(request.task, request.data_dir)
    sources, groups = _languages(request, protocol, task, info, backbone)
    source = resources.source(backbone) if configured.method.uses_backbone else None  # last: it may be a download
    if source is None:  # such a method gets what no option changes: options are no part of its identity
        recipe, precision = preset_recipe(info.preset, configured.name), "fp32"
    start = None
    if request.init_from is not None:
        from xlt_bench.adapters.started import start_from

        configured, start = start_from(request.init_from, configured, Store(request.store), task, source)
        if protocol == "zero-shot" or 0 in request.shots:
            start.check_targets(sources, {code for codes in groups.values() for code in codes})
    job = Job(
        task=task,
        configured=configured,
        label=_label(configured.label, request, info, precision, bool(source)),
        source=source,
        recipe=recipe if source is None else _budgeted(recipe, request),
        device=device,
        precision=precision,
        target_label="" if request.target_steps is None else f"{request.target_steps} target steps",
        sources_label=request.sources,
        groups=groups,
        store=Store(request.store),
        save_weights=request.save_weights,
        start=start,
        tuning=request.tuning,
    )
    template = _template(job, preset, sources, protocol, request.examples)
    _check_examples(request, template, task)
    return _experiment(
        job, tuple(cells(template, seeds, request.shots, _unadapted(template, recipe, request))), request.rerun
    )


def pack_size(asked: int | None, experiment: Experiment) -> int:
    """How many runs go through the backbone together.

    On a CPU one: arithmetic is the limit there, and a run that is interrupted takes its pack with it. On a GPU, where
    launches are the limit, all seeds up to 16; what does not fit into memory is split.
    """
    if asked is not None and asked < 1:
        raise ConfigError(f"--pack must be at least 1, not {asked}")
    return asked or (GPU_PACK if experiment.job.device.startswith("cuda") else 1)


def _no_word(number: int) -> None:
    """Say nothing while waiting."""


def carry_out(
    experiment: Experiment,
    progress: Progress | None = None,
    pack: int | None = None,
    *,
    waiting: Callable[[int], None] | None = _no_word,
    resources: Resources | None = None,
    keep_fits: bool = False,
) -> list[Record]:
    """Run the missing cells of an experiment; its Records, in the order of its cells.

    Args:
        experiment: from `prepare`.
        progress: is told of steps and dev evaluations.
        pack: seeds (or targets of one fit) trained in one pass over the backbone, where the method can; None: see
            `pack_size`.
        waiting: is told how many cells other processes work on, when only these are left; None: they are not waited
            for, and their Records are not among those returned.
        resources: as for `prepare`.
        keep_fits: leave the fits on the sources in the store, for another experiment that adapts from them.
    """
    size = pack_size(pack, experiment)
    experiment.check_store()
    records = dict(experiment.done)
    runner = Runner(experiment.job, progress or Silent(), resources.backbones if resources else None)
    for record in run_local(experiment.missing, runner, experiment.settled, size, waiting):
        records[record.cell.fingerprint] = record
    if not keep_fits:
        experiment.job.store.fits.drop({cell.source_fit for cell in experiment.cells if cell.adapts})
    return [records[cell.fingerprint] for cell in experiment.cells if cell.fingerprint in records]


def run(
    method: str = "xpe",
    sources: str = "seen",
    *,
    task: str = "cldr",
    data_dir: Path | str | None = None,
    targets: str | None = None,
    protocol: Protocol | None = None,
    shots: Sequence[int | None] = (None,),
    examples: int | None = None,
    backbone: str | None = None,
    seeds: int | Sequence[int] | None = None,
    steps: int | None = None,
    target_steps: int | None = None,
    settings: Mapping[str, object] | None = None,
    rate_factors: tuple[float, float] = (1.0, 1.0),
    groups_file: Path | str | None = None,
    init_from: Path | str | None = None,
    preset: str | None = None,
    device: str | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    store: Path | str = DEFAULT_STORE,
    save_weights: bool = False,
    rerun: Literal["failed", "all"] | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Run a method and return its Records, one a seed (in the full protocol, one a seed and target).

    What the store already holds is not computed again.

    The arguments are those of `Request`; `seeds` may be a count, and `settings` may hold plain values
    (`{"n_tokens": 10}`).
    """
    request = Request(
        method=method,
        task=task,
        data_dir=None if data_dir is None else Path(data_dir),
        sources=sources,
        targets=targets,
        protocol=protocol,
        shots=tuple(shots),
        examples=examples,
        backbone=backbone,
        seeds=None if seeds is None else tuple(range(seeds) if isinstance(seeds, int) else seeds),
        steps=steps,
        target_steps=target_steps,
        settings={name: str(value) for name, value in (settings or {}).items()},
        rate_factors=rate_factors,
        groups_file=None if groups_file is None else Path(groups_file),
        init_from=None if init_from is None else str(init_from),
        preset=preset,
        device=device,
        precision=precision,
        store=Path(store),
        save_weights=save_weights,
        rerun=rerun,
    )
    return carry_out(prepare(request), progress)


def _label(label: str, request: Request, info: TaskInfo, precision: Precision, has_backbone: bool) -> str:
    """The method's label, with what differs from the task's defaults; without a backbone no option changes anything."""
    differs = _differences(request, info, precision) if has_backbone else []
    return ", ".join([label, *differs, *([f"tuned ({request.tuning['trials']})"] if request.tuning else [])])


def _differences(request: Request, info: TaskInfo, precision: Precision) -> list[str]:
    told = []
    if request.preset not in (None, info.preset):
        told.append(f"preset {request.preset}")
    if request.steps is not None:
        told.append(f"{request.steps} steps")
    if precision == "bf16":
        told.append("bf16")
    if request.init_from is not None:
        told.append(f"from {Path(request.init_from).name}")
    if request.rate_factors != (1.0, 1.0) and not request.tuning:
        own, head = request.rate_factors
        told.append(f"rates x{own:g}, head x{head:g}")
    return told


def choose_device(asked: str | None) -> str:
    """The torch device asked for; None: cuda where there is one. ConfigError for one that is not there."""
    if asked == "cpu":
        return asked
    import torch

    available = torch.cuda.is_available()
    if asked is None:
        return "cuda" if available else "cpu"
    if re.fullmatch(r"cuda(:[0-9]+)?", asked) is None:
        raise ConfigError(f"--device takes cpu, cuda or cuda:N, not '{asked}'")
    if not available or int(asked.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ConfigError(f"--device {asked}: torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu")
    return asked


def choose_precision(asked: str, device: str) -> Precision:
    """Of the forward pass on a device, from auto, fp32 or bf16. ConfigError for anything else."""
    if asked not in ("auto", "fp32", "bf16"):
        raise ConfigError(f"--precision takes auto, fp32 or bf16, not '{asked}'")
    if asked == "auto":  # on a CPU every reported score is float32 unless bf16 is asked for
        return "bf16" if device.startswith("cuda") else "fp32"
    return "bf16" if asked == "bf16" else "fp32"


def _protocol(request: Request) -> Protocol:
    """The protocol asked for; what cannot be asked for together is refused."""
    alone = request.sources == NO_SOURCES
    protocol = request.protocol or ("full" if alone else "zero-shot")
    if protocol not in get_args(Protocol):
        raise ConfigError(f"--protocol takes {' or '.join(get_args(Protocol))}, not '{protocol}'")
    if alone and protocol == "zero-shot":
        raise ConfigError(
            "--sources none trains on each target's own labels, which is no zero-shot; leave --protocol out"
        )
    if protocol == "zero-shot" and (request.target_steps is not None or request.shots != (None,)):
        option = "--shots" if request.target_steps is None else "--target-steps"
        raise ConfigError(f"{option} is of adapting to a target; add --protocol full")
    if alone and request.target_steps is not None:
        raise ConfigError("--sources none has one fit a target, and its budget is --steps; leave --target-steps out")
    return protocol


def _check_examples(request: Request, template: Cell, task: Task) -> None:
    """Refuse numbers of examples that sources or a target do not have, or that leave nothing to learn from."""
    shots = request.shots
    wrong = [count for count in shots if count is not None and (type(count) is not int or count < 0)]
    if wrong or len(set(shots)) < len(shots):
        raise ConfigError(f"--shots takes different whole numbers of at least 0, and all (None), not {shots}")
    if request.examples is not None and not template.sources:
        raise ConfigError("--examples limits those of the sources, and there are none; those of a target are --shots")
    if request.examples is not None:
        there = sum(len(task.split(code, "train")) for code in template.sources)
        if not 1 <= request.examples <= there:
            raise ConfigError(f"--examples must lie between 1 and the sources' {there}, not {request.examples}")
    if not shots:
        raise ConfigError("--shots names no number of examples; give some, such as 8,32,all")
    for target in template.targets if template.protocol == "full" else ():
        items = len(task.split(target, "train"))
        for count in shots:
            if count is not None and count > items:
                raise ConfigError(
                    f"--shots {count}: the train split of {target} has {items} items; all of them are --shots all"
                )
    if not template.sources and 0 in shots:
        raise ConfigError("--shots 0 with --sources none leaves nothing to learn from; give sources or other numbers")


def _unadapted(template: Cell, recipe: Recipe, request: Request) -> Cell:
    """The template of cells that stop at the fit on the sources: how one adapts is no part of what they are."""
    plain = _budgeted(recipe, dataclasses.replace(request, target_steps=None))
    own = None if template.recipe is None else plain.as_json()
    return dataclasses.replace(template, protocol="zero-shot", recipe=own)


def _budgeted(recipe: Recipe, request: Request) -> Recipe:
    """The recipe with the budgets asked for; without sources the target's budget is that of the one fit."""
    if request.sources == NO_SOURCES:
        recipe = recipe.without_sources()
    return recipe.with_steps(request.steps, request.target_steps).scaled(*request.rate_factors)


def _languages(
    request: Request, protocol: Protocol, task: Task, info: TaskInfo, backbone: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    known = info.groups(backbone)
    if request.groups_file is not None:
        known = with_groups(request.groups_file, known, task.languages, task=task.name, backbone=backbone)
    sources: tuple[str, ...] = ()
    if request.sources != NO_SOURCES:
        sources = parse_languages(request.sources, known, task.languages, what="--sources", backbone=backbone)
        task.check_trainable(sources, f"--sources '{request.sources}'")
    targets = request.targets
    if targets is None and protocol == "full":
        targets = ",".join(name for name in info.full_targets if name in known) or None
    rows = target_groups(targets, sources, known, task.languages, backbone=backbone)
    if protocol == "full":
        task.check_trainable([code for row in rows.values() for code in row], "--protocol full")
    return sources, rows


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
