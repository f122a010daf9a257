"""What is there of a study: a line for each configuration, with its scores as the board has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.errors import ConfigError, unknown
from xlt_bench.leaderboard.board import boards
from xlt_bench.leaderboard.board.model import BoardContent, BoardRow
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.facts import main_metric, primary_group
from xlt_bench.leaderboard.data.gathering import gather
from xlt_bench.leaderboard.data.published import published
from xlt_bench.metrics import Metric, metric_named
from xlt_bench.records.cell import Cell
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.runs.setup import Setup
from xlt_bench.studies.definition import Study
from xlt_bench.studies.planning import Planned


@dataclass(frozen=True)
class StudyLine:
    """One configuration of a study, with at least one run.

    Attributes:
        part: title of the part of the report that it belongs to, empty where the report has one part.
        label: of the method, as the study has it; without the steps where a budget of arithmetic gave them.
        shots: labelled examples of the target: 0 in the zero-shot protocol, None for its whole train split.
        cells: how many there are in all; `entry` has those that ran.
    """

    planned: Planned
    part: str
    label: str
    shots: int | None
    cells: tuple[Cell, ...]
    entry: Entry
    row: BoardRow

    @property
    def method(self) -> str:
        """As the study names it."""
        return self.planned.method

    @property
    def sources(self) -> str:
        """As the study names them."""
        return self.planned.sources


@dataclass(frozen=True)
class Results:
    """All that a report is made of.

    Attributes:
        changes: what all methods got in place of the usual, such as `300 steps`.
        layout: part, label and sources of every configuration of the study, run or not.
        board: of the study's Records, for `board` reports with published results.
        metric: what is shown and tested.
        primary: the group whose tests are confirmatory: the study's, else the task's; empty where it is not shown.
        missing: runs that are neither complete nor failed.
    """

    study: Study
    changes: str
    layout: tuple[tuple[str, str, str], ...]
    lines: tuple[StudyLine, ...]
    board: BoardContent
    records: tuple[Record, ...]
    groups: Mapping[str, tuple[str, ...]]
    metric: Metric
    primary: str
    missing: int
    failed: int
    left_out: tuple[str, ...]


def results_of(study: Study, planned: Sequence[Planned], metric: str | None = None) -> Results:
    """Read a study's Records.

    Args:
        metric: in place of the study's, or of what the task is judged by.

    Raises:
        ConfigError: none has run.
    """
    setup = next(plan.experiment.setup for plan in planned if plan.experiment)
    cells = {cell.fingerprint: cell for plan in planned for cell in plan.cells}
    records = [record for record in setup.store.find_all(cells).values() if isinstance(record, Record)]
    if not any(record.complete for record in records):
        raise ConfigError(f"study {study.name}: no run is complete; run it with: xlt-bench study run")
    groups = {
        name: codes for plan in planned if plan.experiment for name, codes in plan.experiment.setup.groups.items()
    }
    primary = study.report.primary or primary_group(records[0].cell.task) or ""
    if study.report.primary is not None and study.report.primary not in groups:
        raise ConfigError(
            f"study {study.name}: [report] primary: {unknown('target group', primary, groups, ', '.join(groups))}"
        )
    named = metric or study.report.metric
    study_metric = metric_named(named) if named else main_metric(records[0].cell.task)
    options = Options(targets=groups, primary=primary, metric=study_metric)
    board = _board(records, setup.store, study.report.baselines, options)
    changes = _changes(planned)
    lines = tuple(_distinct(list(_lines(study, planned, changes, records, setup.store, board)), study.report.over))
    keys = {line.entry.key for line in lines}
    groups = {
        name: codes
        for section in board.sections
        for name, codes in section.groups.items()
        if any(row.key in keys for row in section.rows)
    }
    return Results(
        study=study,
        changes=changes,
        layout=tuple((*_named(study, plan, changes), plan.sources) for plan in planned if plan.experiment),
        lines=lines,
        board=board,
        records=tuple(records),
        groups=groups,
        metric=study_metric,
        primary=primary if primary in groups else "",
        missing=len(cells) - len(records),
        failed=sum(not record.complete for record in records),
        left_out=tuple(dict.fromkeys(plan.reason for plan in planned if plan.reason)),
    )


def _board(records: Sequence[Record], store: Store, baselines: bool, options: Options) -> BoardContent:
    if baselines:
        task = records[0].cell.task
        stored = [record for record, _ in published().values() if record.cell.task == task]
        same_data = [record for record in stored if record.cell.task_hash == records[0].cell.task_hash]
        records = [*records, *same_data]
    return boards.board_of(records, store, options)


def _named(study: Study, planned: Planned, changes: str) -> tuple[str, str]:
    """Part and label of a configuration; what all of them got (`changes`) is no part of the label."""
    assert planned.experiment is not None, "what cannot be has no line"
    grid, setup = study.grids[planned.grid], planned.experiment.setup
    plain = grid.compute_of or _remainder(setup) == changes
    return grid.title or "", setup.configured.label if plain else setup.label


def _remainder(setup: Setup) -> str:
    """What a label tells beside the method: steps, preset, precision."""
    return setup.label.removeprefix(setup.configured.label).removeprefix(", ")


def _changes(planned: Sequence[Planned]) -> str:
    """What all configurations with a backbone got in place of the usual; empty if they differ."""
    setups = [plan.experiment.setup for plan in planned if plan.experiment and plan.experiment.setup.source is not None]
    remainders = {_remainder(setup) for setup in setups}
    return remainders.pop() if len(remainders) == 1 else ""


def _lines(
    study: Study, planned: Sequence[Planned], changes: str, records: Sequence[Record], store: Store, board: BoardContent
) -> Iterator[StudyLine]:
    countable = [record for record in records if record.has_answers]
    gathered = gather(countable, partial(boards.load, store), boards.witness_of(records))
    entries = {entry.key: entry for entry in entries_of(records, gathered)}
    rows = {row.key: row for section in board.sections for row in section.rows}
    seen: set[tuple[str, str]] = set()
    for plan in planned:
        by_configuration: dict[str, list[Cell]] = {}
        for cell in plan.cells:
            by_configuration.setdefault(cell.configuration, []).append(cell)
        for key, cells in by_configuration.items():
            part, label = _named(study, plan, changes)
            if key in rows and key in entries and (part, key) not in seen:
                seen.add((part, key))
                shots = cells[0].shots if cells[0].learns_target else 0
                yield StudyLine(plan, part, label, shots, tuple(cells), entries[key], rows[key])


def _distinct(lines: Sequence[StudyLine], over: str | None) -> Iterator[StudyLine]:
    """Lines that would share a place in a table get what tells them apart behind their label."""

    def spot(line: StudyLine) -> tuple[object, ...]:
        column = len(line.cells[0].sources) if over == "sources" else line.sources
        return line.part, line.label, column, line.shots if over == "shots" else None

    for line in lines:
        rivals = [rival for rival in lines if rival is not line and spot(rival) == spot(line)]
        differing = [
            particular
            for number, particular in enumerate(_particulars(line))
            if any(_particulars(rival)[number] != particular for rival in rivals)
        ]
        yield replace(line, label=f"{line.label}, {differing[0]}") if differing else line


def _particulars(line: StudyLine) -> tuple[str, ...]:
    """What may tell lines of one name apart; the last one always does."""
    shots = "all examples" if line.shots is None else f"{line.shots} shots" if line.shots else "zero-shot"
    examples = line.cells[0].examples
    pool = "all source examples" if examples is None else f"{examples} source examples"
    return line.sources, shots, pool, f"#{line.entry.key[:4]}"


def backbone_of(results: Results) -> str:
    """The backbone of a study's runs, as shown; empty where no method has one."""
    names = {record.cell.backbone for record in results.records} - {NO_BACKBONE}
    return ", ".join(sorted(names))
