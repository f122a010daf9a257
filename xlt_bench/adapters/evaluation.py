"""What it takes to score an existing adapter on the languages of a task, checked before anything is predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlt_bench.adapters.base_model import BackboneFacts, backbone_name, facts_of
from xlt_bench.adapters.content import Content, classes_in, read_content
from xlt_bench.adapters.folder import AdapterFolder, open_adapter
from xlt_bench.adapters.labels import LabelOrder, label_order
from xlt_bench.backbones.source import BackboneSource, Precision, check_name, locate
from xlt_bench.languages.expressions import parse_languages, target_groups
from xlt_bench.recipe import Recipe, preset_recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Damaged, Store
from xlt_bench.runs.devices import choose_device, choose_precision
from xlt_bench.runs.request import DEFAULT_STORE
from xlt_bench.task import Task, TaskInfo
from xlt_bench.tasks import task_info

METHOD = "adapter"


@dataclass(frozen=True)
class Evaluation:
    """What is asked for, as the options of `xlt-bench evaluate`.

    Attributes:
        adapter: a local folder or a hub id.
        sources: the languages that it was trained on, as for `run`; None: not known.
        targets: as for `run`; None: all groups of the task that hold no source.
        backbone: None: the one that the adapter names.
        labels: the task's class names in the adapter's order; None: as the adapter tells, else the task's order.
        name: of the row; None: the adapter's.
        rerun: score again what the store already holds.
    """

    adapter: str
    task: str = "cldr"
    data_dir: Path | None = None
    sources: str | None = None
    targets: str | None = None
    backbone: str | None = None
    labels: tuple[str, ...] | None = None
    name: str | None = None
    device: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    store: Path = DEFAULT_STORE
    rerun: bool = False


@dataclass(frozen=True)
class Prepared:
    """A checked evaluation: nothing has been predicted yet.

    Attributes:
        content: the prompt and head, or the tensors of another kind of adapter.
        recipe: of the task's default preset; it says how long a text may be.
        held: the Record that the store has of it.
        notes: what the user should know before the numbers.
    """

    request: Evaluation
    adapter: AdapterFolder
    content: Content
    task: Task
    source: BackboneSource
    facts: BackboneFacts
    recipe: Recipe
    order: LabelOrder
    cell: Cell
    groups: Mapping[str, tuple[str, ...]]
    device: str
    precision: Precision
    held: Record | None = None
    notes: tuple[str, ...] = ()

    @property
    def store(self) -> Store:
        """Where the Record goes."""
        return Store(self.request.store)

    @property
    def label(self) -> str:
        """Of the row."""
        return self.request.name or f"{self.adapter.short_name} (adapter)"

    @property
    def announcement(self) -> list[str]:
        """What is about to be done, in a few lines."""
        groups = ", ".join(f"{name} ({len(codes)})" for name, codes in self.groups.items())
        lines = [
            f"{self.label} on {self.task.name}: kind {self.adapter.kind}, predict {groups}",
            f"backbone {self.source.name}, {self.precision} on {self.device}",
            *self.notes,
        ]
        if self.held is not None:
            lines.append("already in the store, not scored again (--rerun does)")
        return lines


def prepare(request: Evaluation) -> Prepared:
    """Check an evaluation, read the adapter and load the task. Nothing is predicted.

    Raises:
        XltBenchError: the first thing that cannot be.
    """
    info = task_info(request.task)
    adapter = open_adapter(request.adapter)
    named = backbone_name(adapter, request.backbone)
    check_name(named)
    device = choose_device(request.device)
    precision = choose_precision(request.precision, device)
    task = info.load(request.data_dir)
    sources, groups = _languages(request, info, task, named)
    source = locate(named)  # last: it may be a download
    facts = facts_of(source)
    content = read_content(adapter, facts, source)
    recipe = preset_recipe(info.preset)
    order = label_order(adapter.name, classes_in(adapter, content), task.labels, request.labels, adapter.labels)
    targeted = {code for codes in groups.values() for code in codes}
    cell = Cell(
        task=task.name,
        task_hash=task.fingerprint,
        backbone=source.name,
        backbone_hash=source.fingerprint,
        method=METHOD,
        hyperparameters={
            "adapter": adapter.fingerprint,
            "kind": adapter.kind,
            "labels": list(order.labels),
            "max_length": recipe.max_length,
        },
        preset=None,
        recipe=None,
        sources=sources,
        protocol="zero-shot",
        targets=tuple(code for code in task.languages if code in targeted),
        precision=precision,
        seed=0,
    )
    store = Store(request.store)
    store.check_writable()
    held = None if request.rerun else store.find(cell.fingerprint)
    return Prepared(
        request, adapter, content, task, source, facts, recipe, order, cell, groups, device, precision,
        held=None if isinstance(held, Damaged) else held,
        notes=tuple(_notes(request, adapter, source, order)),
    )  # fmt: skip


def _languages(
    request: Evaluation, info: TaskInfo, task: Task, backbone: str
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Sources, and target groups without them; of an adapter with unknown sources all groups, and all languages."""
    known = info.groups(backbone)
    sources: tuple[str, ...] = ()
    if request.sources is not None:
        sources = parse_languages(request.sources, known, task.languages, option="--sources", backbone=backbone)
    groups = target_groups(request.targets, sources, known, task.languages, backbone=backbone)
    if request.targets is None and not sources:
        groups["all"] = tuple(task.languages)
    return sources, groups


def _notes(request: Evaluation, adapter: AdapterFolder, source: BackboneSource, order: LabelOrder) -> list[str]:
    told = [f"classes in the order {', '.join(order.labels)} ({order.source})"]
    if order.assumed:
        told[0] = (
            f"the adapter does not name its classes: taken in the task's order, {', '.join(order.labels)}; "
            "if its order is another, give --labels"
        )
    if request.sources is None:
        told.append(
            "its sources are not known, so no number is called zero-shot; if you know them, give --sources, "
            "and they are left out of the targets"
        )
    if request.backbone is not None and adapter.base_model not in (None, source.name):
        told.append(f"the adapter names the backbone {adapter.base_model}; scored on {source.name}")
    return told
