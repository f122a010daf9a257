"""Records in, Board out: the one way to build a board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xlt_bench.leaderboard.board.model import Board, BoardRow, GroupScore, Section
from xlt_bench.leaderboard.board.ranks import Place, bootstrap_bounds, common_languages, may_be_ranked, places
from xlt_bench.leaderboard.board.references import references_of
from xlt_bench.leaderboard.board.scoring import Measured, Options, Reductions, measure, score_of
from xlt_bench.leaderboard.board.sections import Setting, settings_of
from xlt_bench.leaderboard.data.entries import Entry, entries_of
from xlt_bench.leaderboard.data.facts import in_language, in_order, is_in_language, language_facts
from xlt_bench.leaderboard.data.gathering import Gold, LoadSheet, gather, named
from xlt_bench.records.record import Record

NOTHING: Gold = {}
Groups = Mapping[str, tuple[str, ...]]


def assemble(
    records: Sequence[Record],
    load: LoadSheet,
    options: Options | None = None,
    *,
    witness: Gold = NOTHING,
    skipped: Sequence[str] = (),
) -> Board:
    """The board of one task: sections are settings, rows configurations, best first.

    Nothing here stops at a bad Record: it is named in `Board.skipped`.

    Args:
        records: all of one task hash; of our own runs, stored baselines and imported answers alike.
        load: the Sheet of a complete per-item Record.
        options: see there.
        witness: what the task is known to hold, see `gather`.
        skipped: what had to be left out before, one line each.

    Raises:
        ValueError: no Records, or Records of several task hashes.
        ConfigError: a reference that no row answers to, or that is not clear.
    """
    tasks = {(record.cell.task, record.cell.task_hash) for record in records}
    if len(tasks) != 1:
        raise ValueError(f"a board is of one task, got {sorted(tasks)}")
    options = options or Options()
    distinct, repeated = distinct_records(records)
    gathered = gather([one for one in distinct if one.complete and one.evidence == "per_item"], load, witness)
    entries = entries_of(distinct, gathered)
    settings = settings_of(entries)
    maker = _Maker(options, gathered.items.chance(), references_of(options.reference, entries))
    sections = [section for item in settings.items() if (section := maker.section(*item)).groups or not options.targets]
    task, task_hash = tasks.pop()
    return Board(
        task=task,
        task_hash=task_hash,
        level=options.level,
        sections=tuple(_with_unique_keys(sections)),
        languages=language_facts(
            task, next((one.backbone for one in settings if one.backbone), None), gathered.items.codes
        ),
        chance=maker.chance,
        skipped=(*skipped, *repeated, *gathered.skipped),
        interval=options.interval,
        reference=options.reference,
    )


def distinct_records(records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Each run once, in order of fingerprint: the board does not depend on the order in which Records were found."""
    kept: dict[str, Record] = {}
    repeated = []
    for record in records:
        if kept.setdefault(record.cell.fingerprint, record) is not record:
            repeated.append(f"{named(record)}: the same run is there twice; the first one counts")
    return [kept[key] for key in sorted(kept)], repeated


@dataclass
class _Maker:
    """What all sections of a board share."""

    options: Options
    chance: Mapping[str, float]
    references: Mapping[str, Entry]
    reductions: Reductions = field(default_factory=Reductions)

    def section(self, setting: Setting, entries: Sequence[Entry]) -> Section:
        groups = in_order(self.options.targets or _groups_of(entries))
        ranked_on, scores = {}, {}
        for group, codes in groups.items():
            ranked_on[group], scores[group] = self._scores(entries, group, codes)
        listed = {frozenset(codes) for entry in entries for codes in entry.groups().values()}
        groups = {group: codes for group, codes in groups.items() if scores[group] or frozenset(codes) in listed}
        sorted_by = max(groups, key=lambda group: len(scores[group]), default="")
        rows = [self._row(entry, {group: scores[group].get(entry.key) for group in groups}) for entry in entries]
        return Section(
            title=setting.title,
            setting=setting.name,
            backbone=setting.backbone,
            protocol=setting.protocol,
            groups=groups,
            ranked_on={group: ranked_on[group] for group in groups},
            rows=tuple(sorted(rows, key=lambda row: _order(row, sorted_by))),
            sorted_by=sorted_by,
        )

    def _scores(
        self, entries: Sequence[Entry], group: str, codes: tuple[str, ...]
    ) -> tuple[tuple[str, ...], dict[str, GroupScore]]:
        """The languages that the rows are ranked on, and by key each row's score."""
        found = [one for entry in entries if (one := measure(entry, group, codes, self.reductions))]
        wanted = self.options.bootstrap or self.options.interval == "bootstrap"
        bounds = bootstrap_bounds(found, self.options.level) if wanted else {}
        ranked = [one for one in found if may_be_ranked(one)]
        common = common_languages(ranked, codes)
        placed = places(ranked, common, self.reductions, self.options, self.references)
        return common, {
            one.entry.key: _placed(
                score_of(one, self.chance, bounds.get(one.entry.key), self.options), one, placed.get(one.entry.key)
            )
            for one in found
        }

    def _row(self, entry: Entry, scores: Mapping[str, GroupScore | None]) -> BoardRow:
        record = entry.first
        told = [run.fit.get("trainable_parameters") for run in entry.records]
        parameters = [count for count in told if isinstance(count, int)]
        return BoardRow(
            key=entry.key,
            label=entry.label,
            sources=entry.sources,
            evidence=entry.evidence,
            selected_on="" if record.setting else record.selected_on,
            seeds=entry.seeds,
            failed_seeds=entry.failed,
            trainable_parameters=None if record.setting else max(parameters, default=0),
            origin=record.origin,
            caveats=(*entry.caveats, *_lost(entry)),
            scores={group: score for group, score in scores.items() if score is not None},
            by_language=entry.by_language(),
            source=record.source,
            licence=record.licence,
            tuned=record.cell.tuned,
        )


def _placed(score: GroupScore, measured: Measured, place: Place | None) -> GroupScore:
    """The score with its place; a row that could be tested but is not ranked says why."""
    if place is None:
        if measured.reduced is None:
            return score
        why = f"not ranked: has {len(measured.languages)} of the group's {_total(measured)} languages"
        return replace(score, note="; ".join(filter(None, [score.note, why])))
    return replace(
        score,
        ranked_accuracy=place.accuracy,
        rank=place.rank,
        worst_rank=place.worst,
        letters=place.letters,
        against=place.against,
    )


def _total(measured: Measured) -> int:
    return len(measured.languages) + len(measured.missing)


def _groups_of(entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """All groups of these entries; one name for several sets of languages is told apart by the sources."""
    sets: dict[str, dict[frozenset[str], tuple[str, tuple[str, ...]]]] = {}
    for entry in entries:
        for name, codes in entry.groups().items():
            sets.setdefault(name, {}).setdefault(frozenset(codes), (entry.sources, codes))
    found: dict[str, tuple[str, ...]] = {}
    for name, own in sets.items():
        for number, (sources, codes) in enumerate(own.values(), 1):
            told = name
            if len(own) > 1:
                told = in_language(sources) if is_in_language(name) else f"{name}, sources {sources}"
            found[f"{told} ({number})" if told in found else told] = codes
    return found


def _order(row: BoardRow, group: str) -> tuple[bool, float, str, str]:
    """Best first; rows without a score on the group come last."""
    score = row.scores.get(group)
    if score is None:
        return (True, 0.0, row.label, row.sources)
    value = score.accuracy if score.ranked_accuracy is None else score.ranked_accuracy
    return (False, -value, row.label, row.sources)


def _lost(entry: Entry) -> Iterator[str]:
    if entry.skipped:
        listed = ", ".join(map(str, entry.skipped))
        yield f"Runs whose predictions cannot be used were left out: seed {listed}."


def _with_unique_keys(sections: Sequence[Section]) -> Iterator[Section]:
    """A floor stands in several sections; from the second one on its key tells which."""
    seen: set[str] = set()
    for number, section in enumerate(sections, 1):
        rows = [replace(row, key=f"{row.key}-{number}") if row.key in seen else row for row in section.rows]
        seen.update(row.key for row in rows)
        yield replace(section, rows=tuple(rows))
