"""One section of a board: its groups are measured, its rows tested against each other and put in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from xlt_bench.leaderboard.board.against import against_references
from xlt_bench.leaderboard.board.column_groups import groups_of
from xlt_bench.leaderboard.board.curves import dev_curves, few_shot_point
from xlt_bench.leaderboard.board.detail import SectionDetail
from xlt_bench.leaderboard.board.families import corrected
from xlt_bench.leaderboard.board.language_pairs import language_pairs
from xlt_bench.leaderboard.board.measuring import GroupMeasurement, measure
from xlt_bench.leaderboard.board.model import Against, BoardRow, BoardSection, RowScore
from xlt_bench.leaderboard.board.options import Options
from xlt_bench.leaderboard.board.pairs import PairTests, RankedRows, group_pairs, pair_tests, ranked_rows
from xlt_bench.leaderboard.board.prompting import prompting_notes
from xlt_bench.leaderboard.board.reducing import Reductions
from xlt_bench.leaderboard.board.resampling import Resampler
from xlt_bench.leaderboard.board.scoring import at_chance, outliers_of, score_of
from xlt_bench.leaderboard.board.sections import Setting
from xlt_bench.leaderboard.board.standings import RowStanding, standings
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import in_order
from xlt_bench.leaderboard.data.items import Items
from xlt_bench.metrics import Metric
from xlt_bench.metrics.base import Values

Scores = Mapping[str, RowScore]
"""By key of an entry."""


@dataclass
class SectionMaker:
    """What all sections of a board share.

    Attributes:
        metric: what is shown and tested.
        primary: the task's primary group; a section may lack it.
        families: language code -> family.
        references: key of an entry -> the entry that it is compared with.
        hidden: how many rows of each setting are not shown, but count in its families.
    """

    options: Options
    metric: Metric
    items: Items
    primary: str
    families: Mapping[str, str]
    references: Mapping[str, Entry]
    hidden: Mapping[Setting, int]
    reductions: Reductions = field(init=False)

    def __post_init__(self) -> None:
        self.reductions = Reductions(self.metric)

    @cached_property
    def chance(self) -> dict[str, float]:
        """The majority class's score by language."""
        return self.items.chance(self.metric)

    def section(self, setting: Setting, entries: Sequence[Entry]) -> BoardSection:
        """The section of a setting with its rows, best first."""
        groups = in_order(self.options.targets or groups_of(entries))
        measured = {group: self._measured(entries, group, codes) for group, codes in groups.items()}
        listed = {frozenset(codes) for entry in entries for codes in entry.groups().values()}
        groups = {group: codes for group, codes in groups.items() if measured[group] or frozenset(codes) in listed}
        resampler = Resampler(self.options, self.reductions, self.families)
        ranked = {
            group: rows
            for group, codes in groups.items()
            if (rows := ranked_rows(measured[group], codes, self.reductions, resampler))
        }
        tests = {group: pair_tests(rows, self.options) for group, rows in ranked.items() if rows.testable(self.options)}
        hidden = self.hidden.get(setting, 0)
        adjusted, counts = corrected(tests, self.options.family, hidden)
        scores = {}
        for group in groups:
            rows = ranked.get(group)
            places = standings(rows, tests.get(group), adjusted.get(group), self.options.level) if rows else {}
            against = against_references(rows, self.references, self.options, hidden) if rows else {}
            scores[group] = self._scores(measured[group], resampler, places, against)
        sorted_by = self._sorted_by(scores)
        rows_of_section = [
            self._row(entry, {group: scores[group].get(entry.key) for group in groups}) for entry in entries
        ]
        sorted_rows = tuple(sorted(rows_of_section, key=lambda row: _order(row, sorted_by)))
        return BoardSection(
            title=setting.title,
            setting=setting.name,
            backbone=setting.backbone,
            protocol=setting.protocol,
            groups=groups,
            ranked_on={group: ranked[group].languages if group in ranked else () for group in groups},
            rows=sorted_rows,
            sorted_by=sorted_by,
            primary=self._primary(groups),
            tests=counts,
            superseded=hidden,
            detail=self._detail(entries, sorted_rows, ranked, tests, adjusted) if self.options.detailed else None,
        )

    def _detail(
        self,
        entries: Sequence[Entry],
        rows: Sequence[BoardRow],
        ranked: Mapping[str, RankedRows],
        tests: Mapping[str, PairTests],
        adjusted: Mapping[str, Values],
    ) -> SectionDetail:
        by_key = {entry.key: entry for entry in entries}
        ordered = [by_key[row.key] for row in rows]
        positions = {row.key: position for position, row in enumerate(rows)}
        return SectionDetail(
            pairs={
                group: group_pairs([positions[key] for key in ranked[group].keys], pairs, adjusted[group])
                for group, pairs in tests.items()
            },
            by_language=language_pairs(ordered, self.reductions, self.options),
            curves={position: curves for position, entry in enumerate(ordered) if (curves := dev_curves(entry))},
            few_shot={position: point for position, entry in enumerate(ordered) if (point := few_shot_point(entry))},
        )

    def _measured(self, entries: Sequence[Entry], group: str, codes: tuple[str, ...]) -> list[GroupMeasurement]:
        rows = (measure(entry, group, codes, self.reductions) for entry in entries)
        return [row for row in rows if row is not None]

    def _scores(
        self,
        measured: Sequence[GroupMeasurement],
        resampler: Resampler,
        places: Mapping[str, RowStanding],
        against: Mapping[str, Against],
    ) -> Scores:
        bounds, outliers = resampler.bounds(measured), outliers_of(measured)
        keys_at_chance = at_chance(measured, self.reductions, self.chance, self.options.level)
        scores = {}
        for row in measured:
            key = row.entry.key
            score = score_of(row, key in keys_at_chance, bounds.get(key), outliers.get(key, ()), self.options)
            scores[key] = _placed(score, row, places.get(key), against.get(key))
        return scores

    def _primary(self, groups: Mapping[str, Sequence[str]]) -> str:
        """The declared group, or the only one: who asks for one group has chosen it."""
        if self.primary in groups:
            return self.primary
        return next(iter(groups)) if len(groups) == 1 else ""

    def _sorted_by(self, scores: Mapping[str, Scores]) -> str:
        most = max((len(rows) for rows in scores.values()), default=0)
        primary = self._primary(dict.fromkeys(scores, ()))
        if primary and len(scores[primary]) == most:
            return primary
        return max(scores, key=lambda group: len(scores[group]), default="")

    def _row(self, entry: Entry, scores: Mapping[str, RowScore | None]) -> BoardRow:
        record = entry.first
        counts = [run.fit.get("trainable_parameters") for run in entry.records]
        return BoardRow(
            key=entry.key,
            label=entry.label,
            sources=entry.sources,
            evidence=entry.evidence,
            selected_on="" if record.setting else record.selected_on,
            seeds=entry.seeds,
            failed_seeds=entry.failed,
            trainable_parameters=None
            if record.setting
            else max((count for count in counts if isinstance(count, int)), default=0),
            origin=record.origin,
            caveats=(*entry.caveats, *_lost(entry), *prompting_notes(entry)),
            scores={group: score for group, score in scores.items() if score is not None},
            by_language=entry.by_language(self.metric),
            source=record.source,
            licence=record.licence,
            tuned=record.cell.tuned,
            resources=tuple(sorted(record.cell.resources)),
        )


def _placed(
    score: RowScore, measured: GroupMeasurement, standing: RowStanding | None, against: Against | None
) -> RowScore:
    """The score with its standing; a row that could be tested but is not ranked says why."""
    if standing is None:
        if measured.reduced is None:
            return score
        total = len(measured.languages) + len(measured.missing)
        reason = f"not ranked: has {len(measured.languages)} of the group's {total} languages"
        return replace(score, note="; ".join(filter(None, [score.note, reason])))
    return replace(
        score,
        ranked_value=standing.value,
        rank=standing.rank,
        worst_rank=standing.worst,
        letters=standing.letters,
        against=against,
    )


def _order(row: BoardRow, group: str) -> tuple[bool, float, str, str]:
    """Best first; rows without a score on the group come last."""
    score = row.scores.get(group)
    if score is None:
        return (True, 0.0, row.label, row.sources)
    value = score.value if score.ranked_value is None else score.ranked_value
    return (False, -value, row.label, row.sources)


def _lost(entry: Entry) -> Iterator[str]:
    if entry.skipped:
        listed = ", ".join(map(str, entry.skipped))
        yield f"Runs whose predictions cannot be used were left out: seed {listed}."
