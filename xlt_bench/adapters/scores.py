"""What a model card says of an adapter's accuracy: by group of languages, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt_bench.records.answers import ABSENT, Sheet
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store
from xlt_bench.stats import Interval, interval, reduce


@dataclass(frozen=True)
class GroupScore:
    """Accuracy in [0, 1] on a group of languages.

    Attributes:
        single_run: of the one run, random over items; None with fewer than two items.
        all_runs: of all runs of the configuration in the store, random over seeds and items; None for a single one.
    """

    group: str
    languages: int
    accuracy: float
    single_run: Interval | None
    all_runs: Interval | None


def scores_of(store: Store, record: Record) -> list[GroupScore]:
    """Scores of a Record by its groups.

    Raises:
        StoreError: predictions cannot be read.
    """
    sheet = store.sheet(record)
    runs = [sheet, *(store.sheet(run) for run in _other_seeds(store, record))]
    return [_score(group, codes, sheet, runs) for group, codes in record.groups.items()]


def _score(group: str, codes: Sequence[str], sheet: Sheet, runs: Sequence[Sheet]) -> GroupScore:
    x = _reduced([sheet], codes)
    many = _reduced(runs, codes) if len(runs) > 1 else None
    return GroupScore(
        group,
        len(codes),
        float(x.mean()),
        interval(x) if x.shape[1] > 1 else None,
        interval(many) if many is not None and many.shape[1] > 1 else None,
    )


def _reduced(runs: Sequence[Sheet], codes: Sequence[str]) -> NDArray[np.float64]:
    rows = [runs[0].codes.index(code) for code in codes]
    right = np.stack([run.correct[rows] for run in runs])
    return reduce(np.where(right == ABSENT, np.nan, right.astype(float)), codes)


def _other_seeds(store: Store, record: Record) -> list[Record]:
    """Complete runs of the same configuration on the same items with other seeds."""
    cell = record.cell
    return [
        run
        for run in store.records()[0]
        if run.complete
        and run.cell.configuration == cell.configuration
        and run.cell.seed != cell.seed
        and run.item_hash == record.item_hash
    ]
