"""From an Evaluation to an Experiment: one cell, whose method is the adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xlt_bench.adapters.base_model import backbone_name, facts_of
from xlt_bench.adapters.content import classes_in, read_content
from xlt_bench.adapters.folder import AdapterFolder, open_adapter
from xlt_bench.adapters.labels import LabelOrder, label_order
from xlt_bench.adapters.method import AdapterMethod
from xlt_bench.backbones.source import BackboneSource, check_name
from xlt_bench.languages.expressions import parse_languages, target_groups
from xlt_bench.plugins.methods import ConfiguredMethod
from xlt_bench.recipe import preset_recipe
from xlt_bench.records.cell import ZERO_SHOT, Cell
from xlt_bench.records.record import Predictions
from xlt_bench.records.store import Store
from xlt_bench.runs.devices import choose_device, choose_precision
from xlt_bench.runs.evaluation import Evaluation
from xlt_bench.runs.experiment import Experiment, experiment_of
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.setup import Provenance, Setup
from xlt_bench.task import Task, TaskInfo

METHOD = "adapter"
UNKNOWN = "unknown"
SETTING = "existing adapter, sources unknown"


@dataclass(frozen=True)
class PreparedEvaluation:
    """A checked evaluation: nothing has been predicted yet.

    Attributes:
        experiment: of one cell.
        notes: what the user should know before the numbers.
    """

    experiment: Experiment
    notes: tuple[str, ...]


def prepare_evaluation(request: Evaluation, loader: Loader | None = None) -> PreparedEvaluation:
    """Check an evaluation, read the adapter and load the task. Nothing is predicted.

    Args:
        request: what is asked for.
        loader: that of other experiments.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    loader = loader or Loader()
    info = loader.info(request.task)
    adapter = open_adapter(request.adapter)
    backbone = backbone_name(adapter, request.backbone)
    check_name(backbone)
    device = choose_device(request.device)
    task = loader.task(request.task, request.data_dir)
    sources, groups = _languages(request, info, task, backbone)
    source = loader.source(backbone)  # last: it may be a download
    language_note = source.architecture.check_languages(
        dict.fromkeys([*sources, *(code for group in groups.values() for code in group)])
    )
    facts = facts_of(source)
    content = read_content(adapter, facts, source)
    order = label_order(adapter.name, classes_in(adapter, content), task.labels, request.labels, adapter.labels)
    name = f"{adapter.short_name} (adapter)"
    recipe = preset_recipe(info.preset)
    recipe = replace(recipe, max_length=info.max_length or recipe.max_length)
    hyperparameters: dict[str, Any] = {
        "adapter": adapter.fingerprint,
        "kind": adapter.kind,
        "labels": list(order.labels),
        "max_length": recipe.max_length,
    }
    method = AdapterMethod(adapter, content, facts, order)
    setup = Setup(
        task=task,
        configured=ConfiguredMethod(METHOD, name, method, hyperparameters),
        label=request.name or name,
        source=source,
        recipe=recipe,
        device=device,
        precision=choose_precision(request.precision, device),
        sources_label=request.sources or UNKNOWN,
        groups=groups,
        store=Store(request.store),
        provenance=_provenance(request, adapter, source, order, language_note),
    )
    experiment = experiment_of(request, setup, [_cell(setup, sources)], "all" if request.rerun else None)
    setup.store.check_writable()
    notes = [_announced(setup, adapter), *_notes(request, adapter, source, order)]
    if experiment.stored:
        notes.append("already in the store, not scored again (--rerun does)")
    return PreparedEvaluation(experiment, tuple(notes))


def is_below_chance(predictions: Predictions) -> bool:
    """Whether they do worse than always the most frequent class: a sign of a wrong order of classes."""
    _, counts = np.unique(predictions.gold, return_counts=True)
    return bool(predictions.correct.sum() < counts.max())


def _cell(setup: Setup, sources: tuple[str, ...]) -> Cell:
    """Without a recipe, for nothing is trained; what it says of the length of a text is a hyper-parameter."""
    assert setup.source is not None, "an adapter stands on a backbone"
    targets = {code for codes in setup.groups.values() for code in codes}
    return Cell(
        task=setup.task.name,
        task_hash=setup.task.fingerprint,
        backbone=setup.source.name,
        backbone_hash=setup.source.fingerprint,
        method=METHOD,
        hyperparameters=dict(setup.configured.values),
        preset=None,
        recipe=None,
        sources=sources,
        protocol=ZERO_SHOT,
        targets=tuple(code for code in setup.task.languages if code in targets),
        precision=setup.precision,
        seed=0,
    )


def _provenance(
    request: Evaluation, adapter: AdapterFolder, source: BackboneSource, order: LabelOrder, language_note: str
) -> Provenance:
    """With unknown sources, nothing that its Record says may be taken for a zero-shot result."""
    parts = ["An existing adapter; its training was not run or checked here."]
    if request.sources is None:
        parts.append("Targets may be among its sources.")
    else:
        parts.append("Its sources are those told with --sources.")
    if order.assumed:
        parts.append("It does not name its classes: their order was taken to be the task's.")
    provenance = Provenance(
        origin=f"xlt-bench evaluate {adapter.name}",
        caveats=tuple(filter(None, [" ".join(parts), language_note])),
        selected_on="unknown data",
        runs=1,
    )
    if request.sources is not None:
        return provenance
    setting = f"{SETTING}, backbone {source.name} ({source.fingerprint[:8]})"
    return replace(provenance, setting=setting, source=f"adapter {adapter.name}")


def _languages(
    request: Evaluation, info: TaskInfo, task: Task, backbone: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Sources, and target groups without them; of an adapter with unknown sources all groups, and all languages."""
    groups: Mapping[str, frozenset[str]] = info.groups(backbone)
    sources: tuple[str, ...] = ()
    if request.sources is not None:
        sources = parse_languages(request.sources, groups, task.languages, option="--sources", backbone=backbone)
    targets = target_groups(request.targets, sources, groups, task.languages, backbone=backbone)
    if request.targets is None and not sources:
        targets["all"] = tuple(task.languages)
    return sources, targets


def _announced(setup: Setup, adapter: AdapterFolder) -> str:
    """What is about to be done, in two lines."""
    assert setup.source is not None, "an adapter stands on a backbone"
    groups = ", ".join(f"{name} ({len(codes)})" for name, codes in setup.groups.items())
    return (
        f"{setup.label} on {setup.task.name}: kind {adapter.kind}, predict {groups}\n"
        f"backbone {setup.source.name}, {setup.precision} on {setup.device}"
    )


def _notes(request: Evaluation, adapter: AdapterFolder, source: BackboneSource, order: LabelOrder) -> list[str]:
    notes = [f"classes in the order {', '.join(order.labels)} ({order.source})"]
    if order.assumed:
        notes[0] = (
            f"the adapter does not name its classes: taken in the task's order, {', '.join(order.labels)}; "
            "if its order is another, give --labels"
        )
    if request.sources is None:
        notes.append(
            "its sources are not known, so no number is called zero-shot; if you know them, give --sources, "
            "and they are left out of the targets"
        )
    if request.backbone is not None and adapter.base_model not in (None, source.name):
        notes.append(f"the adapter names the backbone {adapter.base_model}; scored on {source.name}")
    return notes
