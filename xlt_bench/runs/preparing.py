"""From a Request to an Experiment: everything is checked and listed before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xlt_bench.backbones.source import NO_BACKBONE, BackboneSource, check_name
from xlt_bench.errors import ConfigError
from xlt_bench.languages.expressions import expression_of, parse_languages, target_groups
from xlt_bench.languages.known_groups import known_groups
from xlt_bench.method import (
    Method,
    Prompting,
    WithBackboneCheck,
    WithLanguageCheck,
    WithLanguageStage,
    WithTaskCheck,
)
from xlt_bench.plugins.methods import ConfiguredMethod, configure, recipe_of
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import ZERO_SHOT, Cell
from xlt_bench.records.labels import adapting_differences, differences
from xlt_bench.records.store import Store
from xlt_bench.resources import (
    Resources,
    Scope,
    Supply,
    check_texts,
    contents,
    identities,
    language_texts,
    needs_of,
    rendered,
    supplies,
    with_usable_labels,
)
from xlt_bench.runs.devices import choose_device, choose_precision
from xlt_bench.runs.experiment import Experiment, experiment_of
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.protocols import TransferProtocol, chosen_protocol
from xlt_bench.runs.request import NO_SOURCES, Request, budgeted, checked, reading, without_steps
from xlt_bench.runs.setup import Provenance, Setup
from xlt_bench.task import Task, TaskInfo

if TYPE_CHECKING:
    from xlt_bench.adapters.start import Start


def prepare(request: Request, loader: Loader | None = None) -> Experiment:
    """Check a request, load the task, and list its cells. Nothing is trained.

    Args:
        request: what is asked for.
        loader: that of other experiments, so that nothing is loaded twice.

    Raises:
        XltBenchError: the first thing about the request that cannot be.
    """
    loader = loader or Loader()
    request = checked(request)
    configured = configure(request.method, request.settings)
    if hasattr(configured.method, "procedure"):
        request = without_steps(request)
    protocol = chosen_protocol(request, configured.method)
    info = loader.info(request.task)
    seeds = request.seeds or tuple(range(protocol.default_seeds(info, configured.method)))
    device = choose_device(request.device)
    precision = choose_precision(request.precision, device)
    backbone = request.backbone or info.backbone
    check_name(backbone)
    task = loader.task(request.task, request.data_dir)
    languages = _languages(request, protocol, task, info, backbone)
    _check_examples(request, languages.sources, task, configured.method)
    if isinstance(configured.method, WithLanguageCheck):
        known_targets = _in_order(languages.targets, task) if protocol.name == ZERO_SHOT else ()
        configured.method.check_languages(languages.sources, known_targets)
    supplied = _supplied(request, configured, task, languages)
    source, language_note = _source(loader, backbone, configured.method, languages)  # last: it may be a download
    recipe, defaults = _recipe(request, info, configured, source)
    resources = contents(supplied)
    task = rendered(task, resources)
    task_note = "" if source is None else _checked_task(configured.method, task, resources, source, recipe)
    configured, start = _started(request, configured, task, source)
    notes = (supply.note for supply in supplied.values())
    caveats = [start.caveat if start else "", language_note, task_note, *notes]
    prompt = configured.method.prompt(resources) if isinstance(configured.method, Prompting) else None
    setup = Setup(
        task=task,
        configured=configured,
        label=configured.label,
        source=source,
        recipe=recipe if source is None else budgeted(recipe, request),
        device=device,
        precision="fp32" if source is None else precision,
        sources_label=languages.sources_label,
        groups=languages.targets,
        notes=languages.notes,
        store=loader.store(request.store),
        save_weights=request.save_weights,
        checkpoint_minutes=None if request.no_checkpoints else request.checkpoint_minutes,
        tuning=request.tuning,
        defaults=defaults,
        provenance=Provenance(caveats=tuple(filter(None, caveats)), runs=_runs(request, configured.method)),
        resources=resources,
    )
    template = _template(request, setup, protocol, request.preset or info.preset, languages.sources, start)
    template = replace(template, resources=identities(supplied), prompt=prompt)
    setup = _labelled(setup, template)
    cells = protocol.cells(template, seeds, request.shots, _unadapted(template, recipe, request))
    if start is not None:
        for cell in cells:
            start.check_cell(cell)
    return experiment_of(request, setup, cells, request.rerun)


def _source(loader: Loader, backbone: str, method: Method, languages: Languages) -> tuple[BackboneSource | None, str]:
    """The backbone that a method uses, as far as it can be used, and what must be said of its languages."""
    if not method.uses_backbone:
        return None, ""
    source = loader.source(backbone)
    if getattr(method, "asks_backbone", False):
        source.architecture.check_causal()
    if isinstance(method, WithBackboneCheck):
        method.check_backbone(source)
    return source, source.architecture.check_languages(languages.codes)


def _checked_task(method: Method, task: Task, resources: Resources, source: BackboneSource, recipe: Recipe) -> str:
    """What must be said of the task with this method, whose prompt and texts have room in the backbone."""
    vectors = getattr(method, "positions", 0)
    source.architecture.text_limit(recipe.max_length, vectors)
    if isinstance(method, WithTaskCheck):
        return method.check_task(task.labels, resources, source, recipe, vectors)
    return ""


def _labelled(setup: Setup, template: Cell) -> Setup:
    """The setup with the names that tables have for its runs."""
    label = ", ".join([setup.configured.label, *differences(template, setup.defaults)])
    return replace(setup, label=label, target_label=", ".join(adapting_differences(template, setup.defaults)))


def _recipe(
    request: Request, info: TaskInfo, configured: ConfiguredMethod, source: BackboneSource | None
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe before its budgets, and what is usual, by which labels tell what is not.

    A method that trains nothing on a backbone gets what no option changes: options are no part of its identity.
    """
    recipe = recipe_of(configured.method, request.preset or info.preset)  # refuses a preset that there is not
    if source is None or isinstance(configured.method, Prompting):
        return recipe_of(configured.method, info.preset), {}
    usual = reading(recipe, Request(), info, source.architecture)
    return reading(recipe, request, info, source.architecture), {"preset": info.preset, "recipe": usual.as_json()}


@dataclass(frozen=True)
class Languages:
    """The languages of a run.

    Attributes:
        sources: codes, in the task's order.
        sources_label: how tables name them; it follows from the codes, however the user wrote them.
        targets: by group.
        notes: what a reader must know of the groups.
    """

    sources: tuple[str, ...]
    sources_label: str
    targets: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys([*self.sources, *(code for group in self.targets.values() for code in group)]))


def _languages(request: Request, protocol: TransferProtocol, task: Task, info: TaskInfo, backbone: str) -> Languages:
    group_facts = known_groups(info, backbone, task.languages, seen=request.seen, groups_file=request.groups_file)
    groups = group_facts.groups
    sources: tuple[str, ...] = ()
    if request.has_sources:
        sources = parse_languages(request.sources, groups, task.languages, option="--sources", backbone=backbone)
        task.check_trainable(sources, f"--sources '{request.sources}'")
    expression = protocol.default_targets(info, groups) if request.targets is None else request.targets
    targets = target_groups(expression, sources, groups, task.languages, backbone=backbone)
    protocol.check_data(request, task, _in_order(targets, task))
    label = expression_of(sources, groups, task.languages) if sources else NO_SOURCES
    return Languages(sources, label, targets, group_facts.notes)


def _check_examples(request: Request, sources: Sequence[str], task: Task, method: Method) -> None:
    """Refuse a number of source examples that the sources do not have for this method."""
    if request.examples is None:
        return
    if not sources:
        raise ConfigError("--examples limits those of the sources, and there are none; those of a target are --shots")
    items = len(with_usable_labels(task.pool(sources, "train"), needs_of(method)))
    if not 1 <= request.examples <= items:
        raise ConfigError(f"--examples must lie between 1 and the sources' {items}, not {request.examples}")


def _supplied(request: Request, configured: ConfiguredMethod, task: Task, languages: Languages) -> Mapping[str, Supply]:
    """What the method declares beside labelled sources, read and checked."""
    scope = Scope(task, languages.sources, _in_order(languages.targets, task))
    supplied = supplies(needs_of(configured.method), request.resources, scope)
    if isinstance(configured.method, WithLanguageStage):
        labelled = scope.sources or scope.targets
        check_texts(language_texts(task, labelled, scope.targets, contents(supplied)))
    return supplied


def _in_order(targets: dict[str, tuple[str, ...]], task: Task) -> tuple[str, ...]:
    """The languages of all groups, in the task's order."""
    codes = {code for group in targets.values() for code in group}
    return tuple(code for code in task.languages if code in codes)


def _started(
    request: Request, configured: ConfiguredMethod, task: Task, source: BackboneSource | None
) -> tuple[ConfiguredMethod, Start | None]:
    """The method, starting from given weights where that is asked for."""
    if request.init_from is None:
        return configured, None
    from xlt_bench.adapters.started import start_from

    return start_from(request.init_from, configured, Store(request.store), task, source)


def _runs(request: Request, method: Method) -> int | None:
    """One, where another run would give the same answers; None: not said.

    Few labelled examples of sources or target are drawn anew for each seed, whatever the method.
    """
    if isinstance(method, Prompting):
        return None if method.demonstrations else 1
    draws_items = request.examples is not None or request.shots != (None,)
    return None if draws_items or getattr(method, "uses_seed", True) else 1


def _template(
    request: Request,
    setup: Setup,
    protocol: TransferProtocol,
    preset: str,
    sources: tuple[str, ...],
    start: Start | None,
) -> Cell:
    """A cell with all targets and seed 0."""
    source = setup.source
    trains_on_backbone = source is not None and not isinstance(setup.configured.method, Prompting)
    return Cell(
        task=setup.task.name,
        task_hash=setup.task.fingerprint,
        backbone=source.name if source else NO_BACKBONE,
        backbone_hash=source.fingerprint if source else NO_BACKBONE,
        method=setup.configured.name,
        hyperparameters=dict(setup.configured.values),
        preset=preset if trains_on_backbone else None,
        recipe=setup.recipe.as_json() if trains_on_backbone else None,
        sources=sources,
        protocol=protocol.name,
        targets=_in_order(dict(setup.groups), setup.task),
        precision=setup.precision,
        seed=0,
        examples=request.examples,
        init_from=start.fingerprint if start else None,
        tuned=request.tuning.get("trials"),
    )


def _unadapted(template: Cell, recipe: Recipe, request: Request) -> Cell:
    """The template of cells that stop at the fit on the sources: how one adapts is no part of what they are."""
    plain = budgeted(recipe, replace(request, target_steps=None))
    return replace(template, protocol=ZERO_SHOT, recipe=None if template.recipe is None else plain.as_json())
