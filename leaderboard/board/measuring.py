"""An entry on a target group: on which languages, and with which mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlt_bench.leaderboard.board.reducing import Reduced, Reductions
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import is_in_language
from xlt_bench.metrics import ACCURACY


@dataclass(frozen=True)
class GroupMeasurement:
    """An entry on a group. `value` is over `languages`; `reduced` is None for evidence weaker than per_item."""

    entry: Entry
    value: float
    languages: tuple[str, ...]
    missing: tuple[str, ...]
    reduced: Reduced | None

    @property
    def may_be_ranked(self) -> bool:
        """Rows with answers to single items, of at least half of the group's languages.

        Ranks are on the languages that all ranked rows have, so a row with a handful of them would take the others'
        away.
        """
        return self.reduced is not None and len(self.languages) >= len(self.missing)


def measure(entry: Entry, group: str, codes: tuple[str, ...], reductions: Reductions) -> GroupMeasurement | None:
    """An entry on a group; None where it has nothing to say about it, or was fitted on some of its languages."""
    sources = set(entry.first.cell.sources)
    if (set(codes) != sources) if is_in_language(group) else (set(codes) & sources):
        return None
    if entry.evidence == "aggregate":
        return _printed(entry, codes) if reductions.metric == ACCURACY else None
    present = set(entry.languages(reductions.metric))
    languages = tuple(code for code in codes if code in present)
    is_listed = any(set(members) == set(codes) for members in entry.groups().values())
    if not languages or not (is_listed or len(languages) == len(codes)):
        return None
    missing = tuple(code for code in codes if code not in present)
    if entry.evidence == "per_item":
        answers = reductions.of(entry, languages)
        return GroupMeasurement(entry, float(answers.x.mean()), languages, missing, answers)
    scores = entry.by_language(reductions.metric)
    value = float(np.mean([scores[code] for code in languages]))
    return GroupMeasurement(entry, value, languages, missing, None)


def _printed(entry: Entry, codes: tuple[str, ...]) -> GroupMeasurement | None:
    """A published mean stands for exactly the group that it was published for."""
    record = entry.first
    for name, value in record.group_accuracy.items():
        if set(record.groups.get(name, ())) == set(codes):
            return GroupMeasurement(entry, value, codes, (), None)
    return None
