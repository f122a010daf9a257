"""What the paper printed for a line of a study, where the line is the method as the paper ran it."""

from __future__ import annotations

from xlt_bench.leaderboard.data import published
from xlt_bench.leaderboard.study.lines import Results, StudyLine
from xlt_bench.metrics import ACCURACY
from xlt_bench.records.record import Record
from xlt_bench.tasks import sib200

_PUBLISHED = ("paper", "released")
"""Presets that printed numbers were made with."""


def published_value(results: Results, group: str, line: StudyLine) -> float | None:
    """The paper's mean accuracy for the same task, backbone, method, sources, protocol and languages, in [0, 1]."""
    cell = line.cells[0]
    if results.metric != ACCURACY:
        return None
    if (cell.task, cell.backbone) != (sib200.INFO.name, sib200.INFO.backbone) or not _as_published(line):
        return None
    system = (results.study.report.published or {}).get(line.method, line.method)
    for record, _ in published.published().values():
        if record.evidence == "aggregate" and _is_counterpart(record, system, line):
            for name, value in record.group_accuracy.items():
                if set(record.groups[name]) == set(results.groups[group]):
                    return value
    return None


def _as_published(line: StudyLine) -> bool:
    """Whether a line is the method as the paper ran it: nothing of it set otherwise, no examples left out."""
    cell = line.cells[0]
    assert line.planned.experiment is not None, "it has a line"
    setup = line.planned.experiment.setup
    usual = cell.preset in (*_PUBLISHED, None) and setup.label == line.method
    return usual and cell.shots is None and cell.examples is None and cell.init_from is None


def _is_counterpart(record: Record, system: str, line: StudyLine) -> bool:
    cell, line_cell = record.cell, line.cells[0]
    return (cell.method, cell.protocol, set(cell.sources)) == (system, line_cell.protocol, set(line_cell.sources))
