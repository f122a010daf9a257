"""The score tables of nano's model card, from the reference Records: one table a source group.

    python -m scripts.model_card [--store leaderboard/reference]

Accuracy in per cent, with half the width of the 95% two-way interval.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.reference import METHODS, STORE, TARGETS
from xlt_bench.records.record import Predictions, Record
from xlt_bench.records.store import Store
from xlt_bench.stats import interval, reduce


def answers(runs: Sequence[Predictions], codes: Sequence[str]) -> NDArray[np.float64]:
    """Right and wrong answers, (seeds, languages, items), NaN where a language lacks the item."""
    items = sorted({item for item, code in zip(runs[0].item_id, runs[0].language, strict=True) if code in set(codes)})
    place = {(code, item): (row, column) for row, code in enumerate(codes) for column, item in enumerate(items)}
    y = np.full((len(runs), len(codes), len(items)), np.nan)
    for seed, run in enumerate(runs):
        for code, item, correct in zip(run.language, run.item_id, run.correct, strict=True):
            if (code, item) in place:
                y[(seed, *place[code, item])] = correct
    return y


def table(store: Store, records: Sequence[Record]) -> list[str]:
    """Markdown lines of the Records of one source group."""
    groups = records[0].groups
    by_label: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_label[record.row_label].append(record)
    lines = ["| | " + " | ".join(f"{name} ({len(codes)})" for name, codes in groups.items()) + " |"]
    lines.append("|---|" + "---|" * len(groups))
    for label in METHODS:
        runs = [store.predictions(record) for record in by_label[label]]
        intervals = (interval(reduce(answers(runs, codes))) for codes in groups.values())
        cells = (f"{100 * mean.estimate:.1f} ± {50 * (mean.high - mean.low):.1f}" for mean in intervals)
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=STORE)
    store = Store(parser.parse_args().store)
    records = [record for record in store.records()[0] if record.complete]
    for sources in TARGETS:
        records_of_sources = [record for record in records if record.sources_label == sources]
        seeds = sorted({record.cell.seed for record in records_of_sources})
        languages = len(records_of_sources[0].cell.sources)
        print(
            f"\nSources {sources} ({languages} languages), {len(seeds)} seeds:\n\n"
            + "\n".join(table(store, records_of_sources))
        )


if __name__ == "__main__":
    main()
