"""Stored baselines as Records: the board knows one kind of thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.baselines import Baseline, baselines
from xlt_bench.baselines.catalogue import task_codes, task_groups
from xlt_bench.baselines.items import test_items
from xlt_bench.baselines.tables import language_codes
from xlt_bench.languages.groups import TARGET_GROUPS
from xlt_bench.leaderboard.data.gathering import Gold
from xlt_bench.records.answers import Sheet
from xlt_bench.records.cell import FULL, ZERO_SHOT, Cell, Protocol
from xlt_bench.records.record import Record
from xlt_bench.tasks import sib200, task_info

_WITH_TARGET_DATA = ("fine-tuned on the language", "sequential transfer", "linear probe")


@cache
def published() -> Mapping[str, tuple[Record, Baseline]]:
    """Every stored baseline as a Record, by its fingerprint. Predictions are not read yet."""
    pairs = ((record_of(baseline), baseline) for baseline in baselines())
    return {record.cell.fingerprint: (record, baseline) for record, baseline in pairs}


def published_sheet(baseline: Baseline) -> Sheet:
    """The Sheet of a per-item baseline."""
    if baseline.sheet is None:
        raise ValueError(f"baseline {baseline.name} has no predictions")
    return baseline.sheet


def listed_items() -> Gold:
    """Language -> item -> class of sib200's test split, told from the shipped list."""
    return dict.fromkeys(language_codes(), test_items())


def record_of(baseline: Baseline) -> Record:
    """A stored baseline as a Record; a group that holds one of its sources is no target of it."""
    identity = {"name": baseline.name, "source": baseline.source, "reference": baseline.reference}
    protocol: Protocol = FULL if baseline.setting in _WITH_TARGET_DATA else ZERO_SHOT
    codes = task_codes(baseline.task)
    origin = f"{baseline.source}, {baseline.reference}"
    groups = _groups_of(baseline)
    return Record(
        cell=cell_of(
            baseline.system, identity, baseline.sources or (), protocol, codes, (baseline.task, baseline.task_hash)
        ),
        label=baseline.label,
        sources_label=baseline.sources_label,
        groups=groups,
        labels=sib200.LABELS if baseline.evidence == "per_item" else (),
        status="complete",
        evidence=baseline.evidence,
        origin=origin,
        accuracy=dict(baseline.by_language),
        macro_f1=dict(baseline.macro_f1),
        setting=baseline.setting,
        source=origin,
        licence=baseline.licence,
        caveats=tuple(filter(None, [baseline.caveat])),
        group_accuracy={name: baseline.by_group[name] for name in groups if name in baseline.by_group},
        runs=baseline.runs,
    )


def _groups_of(baseline: Baseline) -> dict[str, tuple[str, ...]]:
    """Those that its means were published for, else the usual targets and the task's primary group."""
    names = baseline.by_group if baseline.evidence == "aggregate" else _usual_groups(baseline.task)
    groups = {name: codes_of(baseline.task, name) for name in names}
    return {name: codes for name, codes in groups.items() if not set(codes) & set(baseline.sources or ())}


@cache
def _usual_groups(task: str) -> tuple[str, ...]:
    primary = task_info(task).primary
    names = dict.fromkeys([*TARGET_GROUPS, *([primary] if primary else [])])
    return tuple(name for name in names if name in task_groups(task))


@cache
def codes_of(task: str, group: str) -> tuple[str, ...]:
    """The languages of a group, in the task's order."""
    members = task_groups(task)[group]
    return tuple(code for code in task_codes(task) if code in members)


def on_data(record: Record, task_hash: str) -> Record:
    """A Record of figures that claim no data, as one of these data of its task."""
    return replace(record, cell=replace(record.cell, task_hash=task_hash))


def cell_of(
    method: str,
    identity: Mapping[str, str],
    sources: tuple[str, ...],
    protocol: Protocol,
    targets: tuple[str, ...],
    data: tuple[str, str],
) -> Cell:
    """What stands for a cell where nothing of ours ran: what the system is takes the place of hyper-parameters.

    Args:
        data: the task's name and the hash of its data.
    """
    task, task_hash = data
    return Cell(
        task=task,
        task_hash=task_hash,
        backbone=NO_BACKBONE,
        backbone_hash=NO_BACKBONE,
        method=method,
        hyperparameters=identity,
        preset=None,
        recipe=None,
        sources=sources,
        protocol=protocol,
        targets=targets,
        precision="unknown",
        seed=0,
    )
