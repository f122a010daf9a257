"""Which Records a command shows: of a task, a backbone, sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.io.paths import is_folder
from xlt_bench.io.texts import shortened
from xlt_bench.languages.expressions import parse_languages
from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.data.facts import language_facts, task_groups
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.tasks import task_info, task_names


@dataclass(frozen=True)
class Filter:
    """Which Records to show; None: all.

    Attributes:
        task: its name, `name@` and the first digits of its hash, or the path of its `task.toml`.
        backbone: name, or the first digits of its hash; what has none of ours stays, as a floor or for comparison.
        sources: an expression as for `xlt-bench run --sources`; results that learned from no other language stay.
        targets: an expression as for `xlt-bench run --targets`: which groups are the columns.
    """

    task: str | None = None
    backbone: str | None = None
    sources: str | None = None
    targets: str | None = None


def records_of(store: Store, chosen: Filter, every_task: bool = False) -> tuple[list[Record], list[str]]:
    """What a filter leaves of the store and of the stored baselines, and one line for each Record that is damaged.

    Args:
        every_task: with the stored baselines of tasks too of which the store has nothing.

    Raises:
        ConfigError: nothing is left.
    """
    records, damaged = store.records(with_answers=True)
    chosen = replace(chosen, task=_task_named(chosen.task, records))
    of_store = [record for record in records if _is_of(record, chosen.task)]
    baselines = [record for record, _ in published.published().values() if _is_of(record, chosen.task)]
    tasks = {record.cell.task for record in of_store}
    candidates = of_store + [record for record in baselines if every_task or not tasks or record.cell.task in tasks]
    by_label = any(record.sources_label == chosen.sources for record in candidates)
    codes = _codes_by_task(candidates)
    selected = [record for record in candidates if _fits(record, chosen, by_label, codes[record.cell.task])]
    if not selected or not any(_has_backbone(record.cell, chosen.backbone) for record in selected):
        _refuse(store, chosen, len(records))
    return selected, [f"{folder.folder}: {folder.reason}" for folder in damaged]


def _is_of(record: Record, task: str | None) -> bool:
    name, _, digits = (task or "").partition("@")
    task_hash = record.cell.task_hash  # figures that claim no data have none, and fit all
    return task is None or (record.cell.task == name and (not task_hash or task_hash.startswith(digits)))


def _task_named(reference: str | None, records: Sequence[Record]) -> str | None:
    """What a filter calls a task, with the name in its place where a path is given."""
    tasks = (*task_names(), *sorted({record.cell.task for record in records}))
    name = (reference or "").partition("@")[0]
    if reference is None or name in tasks:
        return reference
    if name.endswith(".toml") or is_folder(name):
        return task_info(name).name
    raise unknown("task", name, tasks, "xlt-bench ls tasks")


def _codes_by_task(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Task -> all languages that its Records speak of, for tasks that are not installed."""
    tasks: dict[str, set[str]] = {}
    for record in records:
        tasks.setdefault(record.cell.task, set()).update(record.cell.sources, record.cell.targets)
    return {task: tuple(sorted(codes)) for task, codes in tasks.items()}


def _fits(record: Record, chosen: Filter, by_label: bool, codes: tuple[str, ...]) -> bool:
    """Whether a filter leaves a Record.

    Args:
        by_label: some Record bears the sources asked for as its label, so that they need no reading.
        codes: the languages of the task as far as Records tell.
    """
    cell = record.cell
    if cell.backbone != NO_BACKBONE and not _has_backbone(cell, chosen.backbone):
        return False
    if chosen.sources is None or not cell.sources or record.sources_label == chosen.sources:
        return True
    return not by_label and set(cell.sources) == set(_languages(cell, chosen.sources, codes))


def _has_backbone(cell: Cell, backbone: str | None) -> bool:
    return backbone is None or cell.backbone == backbone or (backbone != "" and cell.backbone_hash.startswith(backbone))


def _languages(cell: Cell, expression: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    backbone = None if cell.backbone_hash == NO_BACKBONE else cell.backbone
    languages = language_facts(cell.task, backbone) or codes
    groups = task_groups(cell.task, backbone)
    return parse_languages(expression, groups, languages, option="--sources", backbone=cell.backbone)


def _refuse(store: Store, chosen: Filter, count: int) -> None:
    options = " ".join(f"--{option} {shortened(value)}" for option, value in vars(chosen).items() if value is not None)
    raise ConfigError(f"no Records fit {options} among the {count} in {store.folder}; make some: xlt-bench run")
