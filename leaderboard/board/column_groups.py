"""The target groups that are the columns of a section."""

from __future__ import annotations

from collections.abc import Sequence

from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import in_language, is_in_language


def groups_of(entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """All groups of these entries; one name for several sets of languages is told apart by the sources."""
    sets: dict[str, dict[frozenset[str], tuple[str, tuple[str, ...]]]] = {}
    for entry in entries:
        for name, codes in entry.groups().items():
            sets.setdefault(name, {}).setdefault(frozenset(codes), (entry.sources, codes))
    groups: dict[str, tuple[str, ...]] = {}
    for name, members in sets.items():
        for number, (sources, codes) in enumerate(members.values(), 1):
            title = name
            if len(members) > 1:
                title = in_language(sources) if is_in_language(name) else f"{name}, sources {sources}"
            groups[f"{title} ({number})" if title in groups else title] = codes
    return groups
