"""Two rows, side by side: difference by group with interval and test, wins by language, and what could be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.boards import Filter, entries_in, groups_named
from xlt_bench.leaderboard.board.references import find_entry, is_known
from xlt_bench.leaderboard.board.sections import setting_of
from xlt_bench.leaderboard.compare.pair import Pair, number_or_none
from xlt_bench.leaderboard.compare.report import GroupDifference, Report, Side
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import in_order
from xlt_bench.records.store import Store
from xlt_bench.stats import IntervalMethod, holm, verdict_of

ALL = "all languages of both"


def compare_entries(
    a: Entry,
    b: Entry,
    groups: Mapping[str, tuple[str, ...]],
    *,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    paired_seeds: bool = False,
) -> Report:
    """Compare two rows of one task.

    Args:
        groups: name -> codes; all languages that both have come first, unless one of the groups is just these.
        paired_seeds: seed k of A and seed k of B belong together; the seeds that both have are compared.

    Raises:
        ConfigError: the same row twice, rows of different data, no language or no seed in common.
    """
    _check(a, b)
    if paired_seeds:
        a, b = _on_common_seeds(a, b)
    pair = Pair(a, b, method, level, paired_seeds)
    everything = pair.shared(ALL, tuple(dict.fromkeys([*a.by_language(), *b.by_language()])))
    named = _distinct([found for name, codes in groups.items() if (found := pair.shared(name, codes))], groups)
    same = everything is None or any(set(everything.languages) == set(found.languages) for found in named)
    shared = named if same or everything is None else [everything, *named]
    if not shared:
        raise ConfigError(f"'{a.label}' and '{b.label}' have no language in common; see: xlt-bench leaderboard")
    return Report(
        task=a.first.cell.task,
        task_hash=a.first.cell.task_hash,
        a=_side(a),
        b=_side(b),
        method=method,
        level=level,
        paired_seeds=paired_seeds,
        groups=tuple(_adjusted([pair.tested(found, len(shared)) for found in shared], level)),
        languages=pair.by_language(everything.languages if everything else ()),
        only_a=everything.only_a if everything else (),
        only_b=everything.only_b if everything else (),
        left_out=tuple(code for code in dict.fromkeys([*a.by_language(), *b.by_language()]) if code in pair.fitted),
        caveats=tuple(_caveats(a, b)),
    )


def compare_in(
    store: Store,
    chosen: Filter,
    a: str,
    b: str,
    targets: str | None = None,
    *,
    method: IntervalMethod = "two-way",
    level: float = 0.95,
    paired_seeds: bool = False,
) -> Report:
    """Compare two rows of a store, named as `find_entry` takes them.

    Args:
        targets: groups to compare on, see `Filter`; default: those that either row speaks of.

    Raises:
        ConfigError: as `find_entry` and `compare_entries`.
    """
    entries = entries_in(store, chosen)
    if not (is_known(a, entries) and is_known(b, entries)):
        entries = entries_in(store, chosen, every_task=True)
    one, other = find_entry(a, entries, "A"), find_entry(b, entries, "B")
    groups = {**one.groups(), **other.groups()}
    if targets is not None:
        groups = dict(groups_named([*one.records, *other.records], targets))
    return compare_entries(one, other, in_order(groups), method=method, level=level, paired_seeds=paired_seeds)


def _distinct(found: Sequence[GroupDifference], groups: Mapping[str, Sequence[str]]) -> list[GroupDifference]:
    """Groups of which both have the same languages are one comparison, told of the smallest: Holm counts it once."""
    kept: dict[frozenset[str], GroupDifference] = {}
    for one in sorted(found, key=lambda one: len(groups[one.group])):
        kept.setdefault(frozenset(one.languages), one)
    return [one for one in found if one in kept.values()]


def _adjusted(found: Sequence[GroupDifference], level: float) -> Iterator[GroupDifference]:
    corrected = holm([float("nan") if one.p is None else one.p for one in found])
    for one, value in zip(found, corrected, strict=True):
        p = number_or_none(value)
        yield replace(one, adjusted_p=p, verdict=verdict_of(one.difference, p, round(1 - level, 12)))


def _check(a: Entry, b: Entry) -> None:
    one, other = a.first.cell, b.first.cell
    if a.key == b.key:
        raise ConfigError(f"'{a.label}' is compared with itself; name two rows of: xlt-bench leaderboard")
    if (one.task, one.task_hash) != (other.task, other.task_hash):
        raise ConfigError(
            f"'{a.label}' is of {one.task} (data {one.task_hash[:8]}) and '{b.label}' of {other.task} "
            f"(data {other.task_hash[:8]}); only rows of the same data can be compared"
        )


def _on_common_seeds(a: Entry, b: Entry) -> tuple[Entry, Entry]:
    if a.answers is None or b.answers is None:
        raise ConfigError("--paired-seeds needs answers to single items of both rows")
    common = tuple(seed for seed in a.answers.seeds if seed in b.answers.seeds)
    if not common:
        raise ConfigError(f"--paired-seeds: '{a.label}' and '{b.label}' have no seed in common")
    return replace(a, answers=a.answers.with_seeds(common)), replace(b, answers=b.answers.with_seeds(common))


def _side(entry: Entry) -> Side:
    return Side(entry.key, entry.label, entry.sources, entry.evidence, entry.first.setting, entry.seeds, entry.failed)


def _caveats(a: Entry, b: Entry) -> Iterator[str]:
    one, other = a.first, b.first
    names = [setting_of(entry).name for entry in (a, b)]
    if names[0] != names[1]:
        yield "The settings differ: {} against {}.".format(*names)
    elif NO_BACKBONE not in (hashes := {one.cell.backbone_hash, other.cell.backbone_hash}) and len(hashes) > 1:
        yield f"The backbones differ: {one.cell.backbone} against {other.cell.backbone}."
    if one.cell.sources != other.cell.sources:
        yield f"The sources differ: {a.sources} against {b.sources}."
    for entry in (a, b):
        yield from (f"{entry.label}: {caveat}" for caveat in entry.caveats)
