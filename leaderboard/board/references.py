"""Which row a user means: by its label, by `label:sources`, or by the first digits of its fingerprint."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.data.entries import Entry

_LISTED = 6
_DIGITS = re.compile("[0-9a-f]{4,16}")


def find_entry(name: str, entries: Sequence[Entry], option: str) -> Entry:
    """The one entry of this name.

    Args:
        option: where the user wrote it; errors begin with it.

    Raises:
        ConfigError: no entry of that name, or several; the message lists how to name each.
    """
    candidates = matching(name, entries, option)
    if len(candidates) > 1:
        raise ConfigError(f"{option} '{name}' fits {len(candidates)} rows; write one of {_ways(candidates)}")
    return candidates[0]


def references_of(name: str | None, entries: Sequence[Entry]) -> dict[str, Entry]:
    """For each entry's key, the reference that it is compared with; empty without a reference.

    A label that several rows have, with different sources, stands for each of them: every row is then compared with the
    one that has its own sources, so that what differs is the method.

    Raises:
        ConfigError: no row of that name has answers to single items, or two with the same sources have them.
    """
    if name is None:
        return {}
    candidates = matching(name, entries, "--reference")
    testable = [entry for entry in candidates if entry.answers is not None]
    if not testable:
        first = candidates[0]
        evidence = f"only {first.evidence.replace('_', ' ')} figures" if first.first.complete else "no complete run"
        raise ConfigError(
            f"--reference '{name}' cannot be tested against: there is {evidence}; choose a row with letters"
        )
    if len(testable) == 1:
        return {entry.key: testable[0] for entry in entries}
    by_sources = {entry.first.cell.sources: entry for entry in testable}
    if len(by_sources) < len(testable):
        raise ConfigError(
            f"--reference '{name}' fits several rows with the same sources; write one of {_ways(testable)}"
        )
    references = {entry.key: by_sources.get(entry.first.cell.sources) for entry in entries}
    return {key: reference for key, reference in references.items() if reference is not None}


def matching(name: str, entries: Sequence[Entry], option: str) -> list[Entry]:
    """All entries that a name fits; a label with its mark goes before the plain one, that before a fingerprint.

    Raises:
        ConfigError: there is none.
    """
    fitting = _fitting(name, entries)
    if fitting:
        return fitting
    own_first = sorted(entries, key=lambda entry: entry.first.setting or "")
    names: dict[str, str] = {}
    for entry in own_first:
        for label in (entry.label, entry.first.row_label, *_short(entry)):
            names.setdefault(label.casefold(), label)
    close = difflib.get_close_matches(name.strip().casefold(), names, n=1, cutoff=0.5)
    hint = f"did you mean {_ways(_labelled(names[close[0]], own_first))}?" if close else f"rows are {_ways(own_first)}"
    raise ConfigError(f"{option}: no row '{name}'; {hint}")


def names_a_row(name: str, entries: Sequence[Entry]) -> bool:
    """Whether a name fits any entry."""
    return bool(_fitting(name, entries))


def _fitting(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """What fits in the first way in which anything does: one's own rows, written exactly, before published ones."""
    exact = name.strip()
    label, colon, sources = (part.strip() for part in exact.rpartition(":"))
    of_sources = [entry for entry in entries if entry.sources.casefold() == sources.casefold()] if colon else []
    digits = exact.casefold()
    of_digits = [entry for entry in entries if entry.key.startswith(digits)] if _DIGITS.fullmatch(digits) else []
    return _labelled(exact, entries) or _labelled(label, of_sources) or of_digits


def _labelled(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """What this label fits in the first way in which it fits anything."""
    folded = name.casefold()
    ways: tuple[Callable[[Entry], bool], ...] = (
        lambda entry: entry.label.casefold() == folded != entry.first.row_label.casefold(),
        lambda entry: entry.first.row_label == name and not entry.first.setting,
        lambda entry: entry.first.row_label.startswith((f"{name}, ", f"{name} (")) and not entry.first.setting,
        lambda entry: folded in _labels(entry),
    )
    return next((fitting for fits in ways if (fitting := [entry for entry in entries if fits(entry)])), [])


def _short(entry: Entry) -> list[str]:
    """The label of one's own row without preset, precision and the like."""
    return [] if entry.first.setting else re.split(r", | \(", entry.first.row_label, maxsplit=1)[:1]


def _labels(entry: Entry) -> tuple[str, str]:
    return entry.label.casefold(), entry.first.row_label.casefold()


def _ways(entries: Sequence[Entry]) -> str:
    listed = ", ".join(f"{entry.key[:8]} ({entry.label}, sources {entry.sources})" for entry in entries[:_LISTED])
    return listed + (f" and {len(entries) - _LISTED} more" if len(entries) > _LISTED else "")
