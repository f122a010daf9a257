"""What can be compared: the runs of one task, checked against each other and brought to the same languages and items.

Each run claims which test items a language has and what their gold classes are. All runs of one task hash must claim
the same. Where one differs from the rest it is named and left out; who is right is known from the task's own list where
there is one (`witness`), else the majority decides, and between equals the first in order of fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from xlt_bench.errors import StoreError
from xlt_bench.leaderboard.data.items import Items
from xlt_bench.leaderboard.data.placing import Placing
from xlt_bench.leaderboard.data.seed_answers import RunAnswers
from xlt_bench.records.answers import ABSENT, Classes, ItemLayout, Sheet
from xlt_bench.records.record import Record

LoadSheet = Callable[[Record], Sheet]
"""The Sheet of a complete per-item Record; StoreError or ValueError where it cannot be had."""

Gold = Mapping[str, Mapping[str, str]]
"""Language -> item id -> class: what a task is known to hold."""

T = TypeVar("T", bound=Hashable)

_NAMED = 3  # languages that a line about a skipped Record names


@dataclass(frozen=True)
class Gathered:
    """Runs that agree, by fingerprint of their Record.

    Attributes:
        remarks: by fingerprint, what a reader should know of a run's answers.
        skipped: one line for each Record that was left out.
        caveats: what a reader should know of all.
    """

    items: Items
    runs: Mapping[str, RunAnswers]
    remarks: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


def gather(records: Sequence[Record], load: LoadSheet, witness: Gold | None = None) -> Gathered:
    """Load the runs of one task hash, leaving out those that cannot be read or do not agree with the rest.

    Args:
        records: complete ones with evidence per_item.
        load: see `LoadSheet`.
        witness: what the task is known to hold, where that can be told without loading it.
    """
    sheets, skipped = _loaded(records, load)
    labels = _most_frequent(sheet.layout.labels for _, sheet in sorted(sheets.items())) or ()
    faults = {key: "its classes are not the task's" for key, sheet in sheets.items() if sheet.layout.labels != labels}
    claims = _claims({key: sheet for key, sheet in sheets.items() if key not in faults})
    placing = Placing([claim.layout for claim in claims], witness or {}, labels)
    gold, wrong = _agreed_gold(placing, claims, witness or {})
    for layout, codes in wrong.items():
        sentence = f"its items or gold labels are not the task's in {_few(codes)}"
        faults |= {key: sentence for key, sheet in sheets.items() if sheet.layout.key == layout}
    skipped += [f"{named(record)}: {fault}" for record in records if (fault := faults.get(record.cell.fingerprint))]
    agreeing = {key: sheet for key, sheet in sheets.items() if key not in faults}
    clusters, disagreeing = _agreed_clusters(placing, [claim for claim in claims if claim.layout.key not in wrong])
    return Gathered(
        items=Items(placing.codes, placing.items, clusters, labels, gold),
        runs={key: placing.answers_of(sheet) for key, sheet in agreeing.items()},
        remarks={key: remark for key, sheet in agreeing.items() if (remark := _remark(sheet))},
        skipped=tuple(skipped),
        caveats=(_CLUSTERS.format(disagreeing),) if disagreeing else (),
    )


@dataclass(frozen=True)
class _Claim:
    """A ItemLayout, and how many runs claim that the task has it."""

    layout: ItemLayout
    runs: int


_CLUSTERS = (
    "{} Records have other clusters of items than most; intervals and tests are with those of most "
    "(run them again with --rerun all if the task's clusters were changed)."
)


def named(record: Record) -> str:
    """How a line about one Record calls it."""
    return f"Record {record.cell.fingerprint} ({record.row_label}, seed {record.cell.seed})"


def _loaded(records: Sequence[Record], load: LoadSheet) -> tuple[dict[str, Sheet], list[str]]:
    """By fingerprint the Sheets that can be read, and a line for each that cannot."""
    sheets, skipped = {}, []
    for record in records:
        try:
            sheets[record.cell.fingerprint] = load(record)
        except (StoreError, ValueError) as error:
            skipped.append(f"{named(record)}: {error}")
    return sheets, skipped


def _claims(sheets: Mapping[str, Sheet]) -> list[_Claim]:
    """The distinct ItemLayouts, in order of the first fingerprint that has each."""
    layouts, counts = dict[str, ItemLayout](), Counter[str]()
    for _, sheet in sorted(sheets.items()):
        layouts.setdefault(sheet.layout.key, sheet.layout)
        counts[sheet.layout.key] += 1
    return [_Claim(layout, counts[key]) for key, layout in layouts.items()]


def _agreed_gold(placing: Placing, claims: Sequence[_Claim], witness: Gold) -> tuple[Classes, dict[str, list[str]]]:
    """The gold classes of each language, and by key of a ItemLayout the languages in which it claims others."""
    votes: dict[int, Counter[bytes]] = {}
    for claim in claims:
        for language, classes in zip(
            placing.language_rows(claim.layout).tolist(), placing.gold_of(claim.layout), strict=True
        ):
            votes.setdefault(language, Counter())[classes.tobytes()] += claim.runs
    gold: Classes = np.full((len(placing.codes), len(placing.items)), ABSENT, placing.kind)
    for language, code in enumerate(placing.codes):
        if code in witness:
            gold[language] = placing.gold_of_witness(witness[code])
        else:  # the first of the most frequent: a Counter keeps the order of insertion
            gold[language] = np.frombuffer(votes[language].most_common(1)[0][0], placing.kind)
    wrong: dict[str, list[str]] = {}
    for claim in claims:
        rows = placing.language_rows(claim.layout)
        differing = (placing.gold_of(claim.layout) != gold[rows]).any(axis=1)
        if differing.any():
            wrong[claim.layout.key] = [placing.codes[language] for language in rows[differing]]
    return gold, wrong


def _agreed_clusters(placing: Placing, claims: Sequence[_Claim]) -> tuple[tuple[str, ...], int]:
    """The cluster of each item as most Records say that give any, and how many of these say otherwise.

    A run that was made before its task had clusters claims none; its answers are as good as the others'.
    """
    clustered = [
        (dict(zip(claim.layout.items, claim.layout.clusters, strict=True)), claim.runs)
        for claim in claims
        if claim.layout.clusters
    ]
    votes: dict[str, Counter[str]] = {item: Counter() for item in placing.items}
    for clusters_of_items, runs in clustered:
        for item, cluster in clusters_of_items.items():
            votes[item][cluster] += runs
    clusters = {item: counts.most_common(1)[0][0] if counts else item for item, counts in votes.items()}
    differing = sum(
        runs
        for clusters_of_items, runs in clustered
        if any(clusters[item] != cluster for item, cluster in clusters_of_items.items())
    )
    return tuple(clusters.values()), differing


def _most_frequent(values: Iterable[T]) -> T | None:
    """The first of the most frequent; None of none."""
    counts = Counter(values)
    return counts.most_common(1)[0][0] if counts else None


def _remark(sheet: Sheet) -> str | None:
    count, names = sheet.answers_outside()
    if not count:
        return None
    example = f" (such as '{names[0]}')" if names else ""
    total = int((sheet.gold != ABSENT).sum())
    return f"{count:,} of {total:,} answers name no class of the task{example} and count as wrong."


def _few(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - _NAMED} more languages" if len(codes) > _NAMED else ""
    return ", ".join(codes[:_NAMED]) + more
