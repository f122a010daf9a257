"""Two rows, side by side: difference by group with interval and test, wins by language, and what could be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from xlt_bench.backbones.source import NO_BACKBONE
from xlt_bench.errors import ConfigError
from xlt_bench.leaderboard.board.boards import entries_in, groups_of_pair
from xlt_bench.leaderboard.board.filters import Filter
from xlt_bench.leaderboard.board.references import find_entry, names_a_row
from xlt_bench.leaderboard.board.sections import setting_of
from xlt_bench.leaderboard.compare.model import ComparedRow, ComparisonReport, GroupDifference
from xlt_bench.leaderboard.compare.options import ComparisonOptions
from xlt_bench.leaderboard.compare.pair import Pair, number_or_none
from xlt_bench.leaderboard.data.entries import Entry
from xlt_bench.leaderboard.data.facts import in_order, primary_group
from xlt_bench.records.store import Store
from xlt_bench.stats import holm, verdict_of

ALL = "all languages of both"


def compare_entries(
    a: Entry, b: Entry, groups: Mapping[str, tuple[str, ...]], options: ComparisonOptions | None = None
) -> ComparisonReport:
    """Compare two rows of one task.

    Args:
        groups: name -> codes; all languages that both have come first, unless one of the groups is just these.

    Raises:
        ConfigError: the same row twice, rows of different data, no language or no seed in common.
    """
    options = options or ComparisonOptions()
    check_pair(a, b)
    if options.paired_seeds:
        a, b = _on_common_seeds(a, b)
    pair = Pair(a, b, options)
    languages = tuple(dict.fromkeys([*a.languages(pair.metric), *b.languages(pair.metric)]))
    everything = pair.shared(ALL, languages)
    named = _distinct([shared for name, codes in groups.items() if (shared := pair.shared(name, codes))], groups)
    is_named = everything is None or any(set(everything.languages) == set(group.languages) for group in named)
    differences = named if is_named or everything is None else [everything, *named]
    if not differences:
        raise ConfigError(f"'{a.label}' and '{b.label}' have no language in common; see: xlt-bench leaderboard")
    family = len(differences) if options.family == "table" else 1
    tested = [pair.tested(group, family) for group in differences]
    task, names = a.first.cell.task, [group.group for group in tested]
    primary = options.primary or primary_group(task) or ""
    return ComparisonReport(
        task=task,
        task_hash=a.first.cell.task_hash,
        a=_compared_row(a),
        b=_compared_row(b),
        method=options.method,
        level=options.level,
        paired_seeds=options.paired_seeds,
        groups=tuple(_adjusted(tested, options)),
        languages=pair.by_language(everything.languages if everything else ()),
        only_a=everything.only_a if everything else (),
        only_b=everything.only_b if everything else (),
        left_out=tuple(code for code in languages if code in pair.fitted),
        caveats=tuple(_caveats(a, b)),
        metric=pair.metric.name,
        metric_title=pair.metric.title,
        family=options.family,
        tests=dict.fromkeys(names, sum(group.p is not None for group in tested) if options.family == "table" else 1),
        primary=primary if primary in names else "",
        random_languages=options.random_languages,
    )


def compare_in(
    store: Store,
    chosen: Filter,
    a: str,
    b: str,
    targets: str | None = None,
    options: ComparisonOptions | None = None,
) -> ComparisonReport:
    """Compare two rows of a store, named as `find_entry` takes them.

    Args:
        targets: groups to compare on, see `Filter`; default: those that either row speaks of.

    Raises:
        ConfigError: as `find_entry` and `compare_entries`.
    """
    entries = entries_in(store, chosen)
    if not (names_a_row(a, entries) and names_a_row(b, entries)):
        entries = entries_in(store, chosen, everything=True)
    row_a, row_b = find_entry(a, entries, "A"), find_entry(b, entries, "B")
    groups = groups_of_pair(row_a, row_b, entries, targets)
    return compare_entries(row_a, row_b, in_order(groups), options)


def _distinct(shared: Sequence[GroupDifference], groups: Mapping[str, Sequence[str]]) -> list[GroupDifference]:
    """Groups of which both have the same languages are one comparison, told of the smallest: Holm counts it once."""
    smallest: dict[frozenset[str], GroupDifference] = {}
    for group in sorted(shared, key=lambda group: len(groups[group.group])):
        smallest.setdefault(frozenset(group.languages), group)
    return [group for group in shared if group in smallest.values()]


def _adjusted(tested: Sequence[GroupDifference], options: ComparisonOptions) -> Iterator[GroupDifference]:
    p_values = [float("nan") if group.p is None else group.p for group in tested]
    corrected = holm(p_values) if options.family == "table" else p_values
    for group, value in zip(tested, corrected, strict=True):
        p = number_or_none(value)
        yield replace(group, adjusted_p=p, verdict=verdict_of(group.difference, p, options.alpha))


def check_pair(a: Entry, b: Entry) -> None:
    """Refuse a row beside itself, and rows of different data.

    Raises:
        ConfigError: which, and what to name instead.
    """
    cell_a, cell_b = a.first.cell, b.first.cell
    if a.key == b.key:
        raise ConfigError(f"'{a.label}' is compared with itself; name two rows of: xlt-bench leaderboard")
    if (cell_a.task, cell_a.task_hash) != (cell_b.task, cell_b.task_hash):
        raise ConfigError(
            f"'{a.label}' is of {cell_a.task} (data {cell_a.task_hash[:8]}) and '{b.label}' of {cell_b.task} "
            f"(data {cell_b.task_hash[:8]}); only rows of the same data can be compared"
        )


def _on_common_seeds(a: Entry, b: Entry) -> tuple[Entry, Entry]:
    if a.answers is None or b.answers is None:
        raise ConfigError("--paired-seeds needs answers to single items of both rows")
    common = tuple(seed for seed in a.answers.seeds if seed in b.answers.seeds)
    if not common:
        raise ConfigError(f"--paired-seeds: '{a.label}' and '{b.label}' have no seed in common")
    if len(common) < 2:
        raise ConfigError(
            f"--paired-seeds: '{a.label}' and '{b.label}' have seed {common[0]} alone in common, which cannot show how "
            "pairs vary; run more seeds of both, or leave the option out"
        )
    return replace(a, answers=a.answers.with_seeds(common)), replace(b, answers=b.answers.with_seeds(common))


def _compared_row(entry: Entry) -> ComparedRow:
    return ComparedRow(
        key=entry.key,
        label=entry.label,
        sources=entry.sources,
        evidence=entry.evidence,
        setting=entry.first.setting,
        stored=entry.is_stored,
        seeds=entry.seeds,
        failed_seeds=entry.failed,
    )


def _caveats(a: Entry, b: Entry) -> Iterator[str]:
    cell_a, cell_b = a.first.cell, b.first.cell
    names = [setting_of(entry).name for entry in (a, b)]
    if names[0] != names[1]:
        yield "The settings differ: {} against {}.".format(*names)
    elif NO_BACKBONE not in (hashes := {cell_a.backbone_hash, cell_b.backbone_hash}) and len(hashes) > 1:
        yield f"The backbones differ: {cell_a.backbone} against {cell_b.backbone}."
    if set(cell_a.resources) != set(cell_b.resources):
        listed = (", ".join(sorted(cell.resources)) or "none" for cell in (cell_a, cell_b))
        yield "The resources beside labelled sources differ: {} against {}.".format(*listed)
    if cell_a.sources != cell_b.sources:
        yield f"The sources differ: {a.sources} against {b.sources}."
    for entry in (a, b):
        yield from (f"{entry.label}: {caveat}" for caveat in entry.caveats)
