"""Records in, board out: the one way to build a board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from xlt_bench.leaderboard.board.model import BoardContent, BoardSection
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.references import references_of
from xlt_bench.leaderboard.board.section_maker import SectionMaker
from xlt_bench.leaderboard.board.sections import Setting, setting_of, settings_of
from xlt_bench.leaderboard.data.entries import entries_of
from xlt_bench.leaderboard.data.facts import language_facts, main_metric, primary_group, task_caveats
from xlt_bench.leaderboard.data.gathering import Gathered, Gold, LoadSheet, gather, named
from xlt_bench.records.record import Record

NO_WITNESS: Gold = {}


def assemble(
    records: Sequence[Record],
    load: LoadSheet,
    options: Options | None = None,
    *,
    witness: Gold = NO_WITNESS,
    skipped: Sequence[str] = (),
    superseded: Sequence[Record] = (),
) -> BoardContent:
    """The board of one task: sections are settings, rows configurations, best first.

    Nothing here stops at a bad Record: it is named in `Board.skipped`.

    Args:
        records: all of one task hash; of our own runs, stored baselines and imported answers alike.
        load: the Sheet of a complete per-item Record.
        options: see there.
        witness: what the task is known to hold, see `gather`.
        skipped: what had to be left out before, one line each.
        superseded: Records of rows that a later version stands for. They are not shown, but the more was tried on the
            test items, the more their tests are corrected for: they count in the families.

    Raises:
        ValueError: no Records, or Records of several task hashes.
        ConfigError: a reference that no row answers to, or that is not clear.
    """
    tasks = {(record.cell.task, record.cell.task_hash) for record in (*records, *superseded)}
    if len(tasks) != 1:
        raise ValueError(f"a board is of one task, got {sorted(tasks)}")
    task, task_hash = tasks.pop()
    options = options or Options()
    distinct, repeated = distinct_records(records)
    gathered = gather([record for record in distinct if record.has_answers], load, witness)
    entries, hidden = entries_of(distinct, gathered), _hidden_rows(superseded, gathered)
    gathered = replace(gathered, runs={})  # the answers are in the entries by now, and are large
    settings = settings_of(entries)
    backbone = next((setting.backbone for setting in settings if setting.backbone), None)
    languages = language_facts(task, backbone, gathered.items.codes)
    metric = options.metric or main_metric(task)
    maker = SectionMaker(
        options=options,
        metric=metric,
        items=gathered.items,
        primary=options.primary or primary_group(task) or "",
        families={code: facts.family for code, facts in languages.items()},
        references=references_of(options.reference, entries),
        hidden=hidden,
    )
    sections = [maker.section(setting, members) for setting, members in settings.items()]
    return BoardContent(
        task=task,
        task_hash=task_hash,
        level=options.level,
        sections=tuple(_with_unique_keys([section for section in sections if section.groups or not options.targets])),
        languages=languages,
        chance=maker.chance,
        metric=metric.name,
        metric_title=metric.title,
        caveats=(*task_caveats(task), *gathered.caveats),
        skipped=(*skipped, *repeated, *gathered.skipped),
        interval=options.interval,
        reference=options.reference,
        family=options.family,
        random_languages=options.random_languages,
    )


def distinct_records(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Each run once, in order of fingerprint: the board does not depend on the order in which Records were found."""
    first: dict[str, Record] = {}
    repeated = []
    for record in records:
        if first.setdefault(record.cell.fingerprint, record) is not record:
            repeated.append(f"{named(record)}: the same run is there twice; the first one counts")
    return [first[key] for key in sorted(first)], repeated


def _hidden_rows(superseded: Sequence[Record], gathered: Gathered) -> Mapping[Setting, int]:
    """How many configurations of each setting are not shown; those without a complete run were never tried."""
    complete = [record for record in superseded if record.complete]
    counts: dict[Setting, int] = {}
    for entry in entries_of(complete, gathered):
        setting = setting_of(entry)
        counts[setting] = counts.get(setting, 0) + 1
    return counts


def _with_unique_keys(sections: Sequence[BoardSection]) -> Iterator[BoardSection]:
    """A floor stands in several sections; from the second one on its key tells which."""
    seen: set[str] = set()
    for number, section in enumerate(sections, 1):
        rows = [replace(row, key=f"{row.key}-{number}") if row.key in seen else row for row in section.rows]
        seen.update(row.key for row in rows)
        yield replace(section, rows=tuple(rows))
